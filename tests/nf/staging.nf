// Samples found, listed and staged as the pipeline does it, without reading them (tests/pipeline/test_odd_places.py).
// `--cases` names a JSON list of [name, sheet_folder, zip, spaceranger_dir, bin_size_um]; where `zip` is given, sheet_folder
// is in it.

include { writtenOnce } from '../../subworkflows/local/utils_clearspot_pipeline/written_once'
include { stageSample } from '../../subworkflows/local/prepare/staging'

params.cases = null

process STAGE {
    tag "${name}"

    input:
    tuple val(name), path(files, stageAs: 'staged/?/*'), path(manifest, stageAs: 'manifest.json')

    output:
    path 'read.txt'

    script:
    """
    link_outs.py --manifest manifest.json --staged staged > read.txt
    """
}

workflow {
    def cases = new groovy.json.JsonSlurperClassic().parseText(file(params.cases).text)
    ch_cases = channel.fromList(cases).map { row ->
        def outs = stageSample(row, folderOf(row))
        if (outs.problem) {
            error(outs.problem)
        }
        [row.name, outs.files, writtenOnce(groovy.json.JsonOutput.toJson(outs.manifest))]
    }
    STAGE(ch_cases)
}

def folderOf(row) {
    if (!row.zip) {
        return file(row.sheet_folder, glob: false)
    }
    return java.nio.file.FileSystems.newFileSystem(file(row.zip, glob: false)).getPath(row.sheet_folder)
}
