// Every parameter of the run, as it was used; but not the web hook, since whoever knows it can post.

def writeParameters() {
    def place = file("${params.outdir}/pipeline_info/params_${params.trace_report_suffix}.json", glob: false)
    place.parent.mkdirs()
    def shown = params + [hook_url: params.hook_url ? '(set, not shown)' : null]
    place.text = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(shown)) + '\n'
    return place
}

def commandShown() {
    return params.hook_url ? workflow.commandLine.replace(params.hook_url.toString(), '(not shown)') : workflow.commandLine
}
