// Paths that Nextflow would take for others. Each function returns what is wrong in words, or null: an error that a function
// raises inside a channel's operator loses its message.

// Java names files in the encoding of the locale it was started in: under LC_ALL=C, in ASCII.
def unencodable(what, where) {
    def encoding = System.getProperty('sun.jnu.encoding')
    return java.nio.charset.Charset.forName(encoding).newEncoder().canEncode(where.toString())
        ? null
        : "${what} has characters that Nextflow cannot encode in the current locale (${encoding}): ${where}\nSet a UTF-8 locale and run the same command again: export LC_ALL=C.UTF-8 (or another one of `locale -a`)"
}

// The script that stages a local file has its path with these characters as they are, and bash expands them. A parenthesis
// behind a dollar sign is escaped: no command in a name is run.
def unstageable(what, where) {
    def path = where.toString()
    return !(path ==~ /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/.*/) && path =~ /\$[A-Za-z0-9_{@#*?!$-]|\{[^{}]*(,|\.\.)[^{}]*\}|\p{Cntrl}/
        ? "${what} has characters that Nextflow cannot stage (a variable like \$HOME, a list in braces or a line break): ${path}\nRename the folder, or use a link (ln -s) whose own path has none of them"
        : null
}
