// The workflow's functions on paths of a file system that is not the machine's: a zip file's (tests/pipeline/test_other_file_systems.py).

include { readRecord } from '../../subworkflows/local/utils_clearspot_pipeline/records'
include { readSettings } from '../../subworkflows/local/utils_clearspot_pipeline/settings'
include { geneFile } from '../../subworkflows/local/utils_clearspot_pipeline/genes'
include { genesOfInterest } from '../../subworkflows/local/utils_clearspot_pipeline/genes'
include { listOuts } from '../../subworkflows/local/prepare/staging'
include { resolvePath } from '../../subworkflows/local/prepare/staging'

params.archive = null

workflow {
    def settings = readSettings(params + [dusted_genes: "${params.archive}genes.txt".toString()])
    def sheet = file("${params.archive}sheets/samplesheet.csv")
    def root = resolvePath('outs', sheet.parent)
    def seen = [
        root: root.toUriString(),
        above: resolvePath('../image.tif', sheet.parent).exists(),
        files: listOuts(root, null).manifest.files,
        record: readRecord(sheet.parent.resolve('s.check.json')),
        genes: geneFile(settings.dusted_genes).text,
        genes_of_interest: genesOfInterest("${params.archive}genes.txt".toString()).text,
        lists: ['A,B', 'C', 'A,B'].collect { names -> [genesOfInterest(names).toString(), genesOfInterest(names).text] },
    ]
    println("SEEN ${groovy.json.JsonOutput.toJson(seen)}")
}
