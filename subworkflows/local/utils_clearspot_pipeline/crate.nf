// ro-crate-metadata.json in the output folder: what a run made, from what, with which software, for people and archives
// (RO-Crate 1.1, Process Run Crate 0.5). It names only files that are there. It is no Workflow Run Crate: that asks for the
// workflow's own files among the results.

include { commandShown } from './parameters'
include { succeeded } from './success'

def writeCrate(settings) {
    try {
        def root = file(settings.outdir, glob: false)
        def graph = crateGraph(settings, publishedParts(settings, root), root)
        def crate = ['@context': ['https://w3id.org/ro/crate/1.1/context', 'https://w3id.org/ro/terms/workflow-run/context'], '@graph': graph]
        root.resolve('ro-crate-metadata.json').text = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(crate)) + '\n'
    }
    catch (Exception problem) {
        log.warn("ro-crate-metadata.json was not written: ${problem.message}")
    }
    return null
}

// Files and folders of this run that are there, as entities of the crate. Nextflow's own pages are written after this.
def publishedParts(settings, root) {
    def suffix = settings.trace_report_suffix
    def parts = [
        part('pipeline_info/samplesheet.valid.json', 'Samplesheet as read', 'application/json'),
        part("pipeline_info/params_${suffix}.json", 'Parameters of the run', 'application/json'),
        part('pipeline_info/software_versions.yml', 'Versions of the software, by process', 'application/yaml'),
        part("pipeline_info/execution_trace_${suffix}.txt", 'Tasks of the run, with their resources', 'text/tab-separated-values'),
    ]
    def sheet = root.resolve('pipeline_info/samplesheet.valid.json')
    if (sheet.exists() && !settings.validate_only) {
        def rows = new groovy.json.JsonSlurperClassic().parseText(sheet.text)
        parts += settings.skip_multiqc ? [] : cohortParts()
        parts += rows.any { row -> row.role == 'reference' } ? referenceParts(settings) : []
        parts += rows.findResults { row -> row.study }.unique().collectMany { study -> studyParts(settings, study) }
        parts += rows.findAll { row -> row.role == 'query' }.collectMany { row -> sampleParts(settings, row.sample) }
    }
    return parts.findAll { entity -> root.resolve(entity['@id']).exists() }
}

def cohortParts() {
    return [
        part('qc_summary.csv', 'Summary table, one row per sample', 'text/csv'),
        part('multiqc/multiqc_report.html', 'Cohort report (MultiQC)', 'text/html'),
        part('multiqc/multiqc_data/', 'Data of the cohort report', null),
    ]
}

def referenceParts(settings) {
    return settings.skip_superres || settings.diffst_checkpoint || settings.diffst_pretrained
        ? []
        : [
            part('references/references.diffst.pt', 'Super-resolution model trained on the references', 'application/zip'),
            part('pipeline_info/cohort.superres_pretrain.json', 'Record of the training on the references', 'application/json'),
        ]
}

def studyParts(settings, study) {
    def folder = "studies/${study}"
    return [
        part("${folder}/${study}_report.html", "Report of the study ${study}", 'text/html'),
        part("${folder}/metrics.json", "All values of the report of the study ${study}", 'application/json'),
        part("${folder}/${study}.h5ad", "Shared latent and domains of the study ${study} (AnnData)", 'application/x-hdf5'),
        part("${folder}/${study}_sections.csv", "Sections of the study ${study}", 'text/csv'),
        part("${folder}/${study}_composition.csv", "Domains by section of the study ${study}", 'text/csv'),
        part("${folder}/${study}_composition_tests.csv", "Domains compared between conditions of the study ${study}", 'text/csv'),
        part("${folder}/${study}_differences.csv", "Genes compared between conditions of the study ${study}", 'text/csv'),
        part("${folder}/${study}_markers.csv", "Markers of the shared domains of the study ${study}", 'text/csv'),
        part("${folder}/loupe/", "Shared domains of the study ${study} for Loupe Browser", null),
        part("${folder}/models/", "Trained model of the study ${study}", null),
    ] + (settings.skip_spatialdata ? [] : [part("${folder}/${study}.zarr.zip", "All sections of the study ${study} as SpatialData", 'application/zip')])
}

def sampleParts(settings, sample) {
    def hdf5 = 'application/x-hdf5'
    def parts = [
        part("${sample}/${sample}_report.html", "Report of ${sample}", 'text/html'),
        part("${sample}/metrics.json", "All values of the report of ${sample}", 'application/json'),
        part("${sample}/${sample}.h5ad", "Measured and denoised expression of ${sample} (AnnData)", hdf5),
        part("${sample}/${sample}.denoised.h5ad", "Denoised expression of ${sample} (AnnData)", hdf5),
        part("${sample}/models/", "Trained models of ${sample}, their loss curves and attention weights", null),
        part("${sample}/loupe/", "Domains and quality flags of ${sample} for Loupe Browser", null),
    ]
    parts += settings.skip_superres ? [] : [part("${sample}/${sample}.superres.h5ad", "Super-resolved expression of ${sample}: predicted, not measured (AnnData)", hdf5)]
    parts += settings.skip_spatialdata ? [] : [
        part("${sample}/${sample}.zarr.zip", "${sample} as SpatialData", 'application/zip'),
        part("${sample}/${sample}.vitessce.json", "Views of ${sample} in Vitessce", 'application/json'),
        part("${sample}/${sample}.tmap", "Project of ${sample} for TissUUmaps", 'application/json'),
        part("${sample}/${sample}.tissue.tif", "Reduced tissue image of ${sample} for TissUUmaps", 'image/tiff'),
    ]
    return parts
}

def part(path, name, type) {
    def kind = type ? ['@type': 'File', encodingFormat: type] : ['@type': 'Dataset']
    return ['@id': path.toString(), name: name.toString()] + kind
}

def crateGraph(settings, parts, root) {
    def given = parts.findAll { entity -> entity['@id'] ==~ /pipeline_info\/(samplesheet|params).*/ }
    def tools = toolVersions(root.resolve('pipeline_info/software_versions.yml'))
    def now = java.time.OffsetDateTime.now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString()
    def run = [
        '@id': "#run-${workflow.sessionId}".toString(), '@type': 'CreateAction', name: "Run ${workflow.runName} of ${workflow.manifest.name}".toString(),
        description: commandShown(settings), instrument: reference('#clearspot'), agent: reference('#user'),
        startTime: workflow.start.truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString(), endTime: now,
        actionStatus: "http://schema.org/${succeeded() ? 'Completed' : 'Failed'}ActionStatus".toString(),
        object: references(given), result: references(parts - given),
    ]
    if (!succeeded()) {
        run.error = workflow.errorMessage ?: 'a task failed, or a sample was refused'
    }
    def software = [
        '@id': '#clearspot', '@type': 'SoftwareApplication', name: workflow.manifest.name, description: workflow.manifest.description,
        softwareVersion: workflow.manifest.version, softwareRequirements: references(tools),
    ]
    if (workflow.repository) {
        software += [url: workflow.repository, identifier: workflow.commitId]
    }
    def profile = 'https://w3id.org/ro/wfrun/process/0.5'
    def about = [
        ['@id': 'ro-crate-metadata.json', '@type': 'CreativeWork', conformsTo: reference('https://w3id.org/ro/crate/1.1'), about: reference('./')],
        [
            '@id': './', '@type': 'Dataset', name: "clearspot results: run ${workflow.runName}".toString(), description: workflow.manifest.description,
            datePublished: now, license: reference('#licence'), author: reference('#user'), conformsTo: reference(profile),
            hasPart: references(parts), mentions: reference(run['@id']),
        ],
        ['@id': '#licence', '@type': 'CreativeWork', name: 'No licence is stated', description: 'The owner of the data has to choose a licence.'],
        ['@id': profile, '@type': 'CreativeWork', name: 'Process Run Crate', version: '0.5'],
        ['@id': '#user', '@type': 'Person', name: workflow.userName],
    ]
    return about + [run, software] + tools + parts
}

def references(entities) {
    return entities.collect { entity -> reference(entity['@id']) }
}

def reference(id) {
    return ['@id': id.toString()]
}

// Each other program and library once, from the versions that the tasks stated; and Nextflow.
def toolVersions(place) {
    def stated = place.exists() ? place.readLines().findResults { line -> line ==~ / {4}\S+: ".*"/ ? line.trim().tokenize(' ') : null } : []
    def found = [['nextflow', workflow.nextflow.version.toString()]] + stated.collect { words -> [words[0] - ':', words[1].replace('"', '')] }
    return found.findAll { name, _version -> name != 'clearspot' }.unique().sort { tool -> tool.join(' ') }.collect { name, version ->
        ['@id': "#${name}-${version}".toString(), '@type': 'SoftwareApplication', name: name, softwareVersion: version]
    }
}
