// Paths that Nextflow would take for others: said before a task looks for a file that is not there.

// Java names files in the encoding of the locale it was started in: under LC_ALL=C, in ASCII.
def requireEncodable(what, where) {
    def encoding = System.getProperty('sun.jnu.encoding')
    if (!java.nio.charset.Charset.forName(encoding).newEncoder().canEncode(where.toString())) {
        error("${what} has letters that Nextflow cannot use in the current locale, whose encoding is ${encoding}: ${where}\nSet a UTF-8 locale and run the same command again: export LC_ALL=C.UTF-8 (or another one of `locale -a`)")
    }
    return null
}

// The script that stages a local file has its path with these characters as they are, and bash expands them.
def requireStageable(what, where) {
    requireEncodable(what, where)
    def path = where.toString()
    if (!(path ==~ /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/.*/) && path =~ /\$|\{[^{}]*(,|\.\.)[^{}]*\}|\p{Cntrl}/) {
        error("${what} has characters that Nextflow cannot stage (a dollar sign, a list in braces or a line break): ${path}\nRename the folder, or give a link to it whose own path has none of them (ln -s)")
    }
    return null
}
