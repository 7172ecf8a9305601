// `-resume` hashes a task's script, not the package that the script imports. This word stands in each script, so that
// a task is run again when the library has changed: the version, and in a source tree a hash of src/.

def codeVersion() {
    def source = file("${moduleDir}/../../../src/clearspot")
    if (!source.exists()) {
        return workflow.manifest.version
    }
    def files = []
    source.eachFileRecurse { path ->
        if (path.name ==~ /.*\.(py|html|css|js|j2)/) {
            files << path
        }
    }
    def digest = java.security.MessageDigest.getInstance('SHA-256')
    files.sort { path -> path.toString() }.each { path -> digest.update(path.bytes) }
    return "${workflow.manifest.version}+${digest.digest().encodeHex().toString().substring(0, 12)}"
}
