// `-resume` knows a task by its script's source and its inputs, not by the package that the script imports. So each task
// takes this word as an input: the version, and in a source tree a hash of src/ and bin/. An edited library is never
// resumed stale.

def codeVersion() {
    def files = []
    ['src', 'bin'].each { folder ->
        def source = file("${projectDir}/${folder}")
        if (source.exists()) {
            source.eachFileRecurse { path ->
                if (path.name ==~ /.*\.(py|html|css|js|j2)/) {
                    files << path
                }
            }
        }
    }
    if (!files) {
        return workflow.manifest.version
    }
    def digest = java.security.MessageDigest.getInstance('SHA-256')
    files.sort { path -> path.toString() }.each { path -> digest.update(path.bytes) }
    return "${workflow.manifest.version}+${digest.digest().encodeHex().toString().substring(0, 12)}"
}
