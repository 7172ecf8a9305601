// Parameters that name genes: a set, a file, or the names themselves.

// `--genes_of_interest` is a file, or the names themselves. These are passed on as they are, in a file that is named by its
// content: two runs in one work folder never share it, and a run that is resumed finds it unchanged.
def genesOfInterest(value) {
    if (!value) {
        return []
    }
    def named = file(value, glob: false)
    if (named.exists()) {
        return named
    }
    def digest = java.security.MessageDigest.getInstance('SHA-256').digest(value.getBytes('UTF-8')).encodeHex().toString()
    def written = workflow.workDir.resolve("genes_of_interest/${digest.substring(0, 16)}.txt")
    if (!written.exists()) {
        written.parent.mkdirs()
        written.text = value + '\n'
    }
    return written
}

// `--dusted_genes` and `--superres_genes` are a set of this name, or a file.
def geneSet(value) {
    return value in ['hvg', 'all'] ? value : ''
}

def geneFile(value) {
    return geneSet(value) ? [] : file(value, glob: false)
}
