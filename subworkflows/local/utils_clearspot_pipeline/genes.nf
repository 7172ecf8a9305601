// `--genes_of_interest` is a file (one symbol a line) or symbols with commas between them.

def genesOfInterest(value) {
    if (!value) {
        return []
    }
    def named = file(value, glob: false)
    if (named.exists()) {
        return named
    }
    def written = workflow.workDir.resolve('genes_of_interest.txt')
    def text = value.tokenize(',').collect { symbol -> symbol.trim() }.join('\n') + '\n'
    // not rewritten when it says the same: its time stamp is part of the tasks' hashes
    if (!written.exists() || written.text != text) {
        written.parent.mkdirs()
        written.text = text
    }
    return written
}
