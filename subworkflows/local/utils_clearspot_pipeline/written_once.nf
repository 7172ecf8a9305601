// Text for a task in a file, and not in its script: the message of a task that fails shows the script. The file's name is made
// of its content, and what is there is not written again, so that -resume takes it for the same input. (`collectFile` writes
// all of its files again where one has changed.)

def writtenOnce(text) {
    def name = java.security.MessageDigest.getInstance('SHA-256').digest(text.getBytes('UTF-8')).encodeHex().toString()
    def path = workflow.workDir.resolve("texts/${name}.json")
    // a run that was killed may have left a part of it
    if (!path.exists() || path.text != text) {
        path.parent.mkdirs()
        path.text = text
    }
    return path
}
