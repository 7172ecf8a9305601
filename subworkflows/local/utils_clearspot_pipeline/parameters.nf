// Every parameter of the run, as it was used.

def writeParameters() {
    def place = file("${params.outdir}/pipeline_info/params_${params.trace_report_suffix}.json")
    place.parent.mkdirs()
    place.text = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(params)) + '\n'
    return place
}
