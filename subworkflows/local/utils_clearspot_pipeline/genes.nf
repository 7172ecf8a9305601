// `--genes_of_interest` is a file (one symbol a line) or symbols with commas between them.

def genesOfInterest(value) {
    if (!value) {
        return channel.value([])
    }
    def named = file(value)
    return named.exists()
        ? channel.value(named)
        : channel.of(value.tokenize(',').collect { symbol -> symbol.trim() }.join('\n')).collectFile(name: 'genes_of_interest.txt').first()
}
