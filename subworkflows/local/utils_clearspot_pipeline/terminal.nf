// Colours of the terminal; empty words where the log must be plain: --monochrome_logs, -ansi-log false, NO_COLOR, or no terminal
// to show them (a file, a pipe).

def colours(monochrome) {
    def plain = monochrome || !workflow.session.ansiLog || System.getenv('NO_COLOR') || System.getenv('TERM') == 'dumb' || !onTerminal()
    def codes = [reset: 0, bold: 1, red: 31, green: 32, yellow: 33, blue: 34]
    return codes.collectEntries { name, code -> [name, plain ? '' : "\033[${code}m"] }
}

// From Java 22 on there is a console without a terminal, too, and it says so itself.
def onTerminal() {
    def console = System.console()
    return console != null && (!console.respondsTo('isTerminal') || console.isTerminal())
}
