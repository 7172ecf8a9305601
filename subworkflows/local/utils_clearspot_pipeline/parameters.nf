// Every parameter of the run, as it was used; but not the web hook, since whoever knows it can post.

def writeParameters(settings) {
    def place = file("${settings.outdir}/pipeline_info/params_${settings.trace_report_suffix}.json", glob: false)
    place.parent.mkdirs()
    def shown = settings + [hook_url: settings.hook_url ? '(set, not shown)' : null]
    place.text = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(shown)) + '\n'
    return place
}

def commandShown(settings) {
    return settings.hook_url ? workflow.commandLine.replace(settings.hook_url.toString(), '(not shown)') : workflow.commandLine
}
