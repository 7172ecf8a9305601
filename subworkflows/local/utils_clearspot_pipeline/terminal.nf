// Colours of the terminal; empty words where the log must be plain (--monochrome_logs, NO_COLOR, NXF_ANSI_LOG=false).

def colours(monochrome) {
    def plain = monochrome || System.getenv('NO_COLOR') || System.getenv('NXF_ANSI_LOG') == 'false' || System.getenv('TERM') == 'dumb'
    def codes = [reset: 0, bold: 1, red: 31, green: 32, yellow: 33, blue: 34]
    return codes.collectEntries { name, code -> [name, plain ? '' : "\033[${code}m"] }
}
