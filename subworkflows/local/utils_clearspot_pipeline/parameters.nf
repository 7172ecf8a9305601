// Every parameter of the run, as it was used.

import groovy.json.JsonOutput

def writeParameters() {
    def place = file("${params.outdir}/pipeline_info/params_${params.trace_report_suffix}.json")
    place.parent.mkdirs()
    place.text = JsonOutput.prettyPrint(JsonOutput.toJson(params)) + '\n'
    return place
}
