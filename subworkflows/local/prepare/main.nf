// From the samplesheet to samples that are fit for costly work: validated, checked, ingested, past QC.

include { SIMULATE } from '../../../modules/local/simulate'
include { SAMPLESHEET_CHECK } from '../../../modules/local/samplesheet_check'
include { SPACERANGER_CHECK } from '../../../modules/local/spaceranger/check'
include { SPACERANGER_INGEST } from '../../../modules/local/spaceranger/ingest'
include { REFERENCE_PREPARE } from '../../../modules/local/diffusion/reference'
include { SPOT_QC } from '../../../modules/local/spot/qc'
include { GATE as CHECK_GATE } from './gate'
include { GATE as QC_GATE } from './gate'
include { stageSample } from './staging'
include { encoderFiles } from '../utils_clearspot_pipeline/encoder'
include { writtenOnce } from '../utils_clearspot_pipeline/written_once'
include { readRecord } from '../utils_clearspot_pipeline/records'

workflow PREPARE {
    take:
    settings           // map: every parameter by name
    genes_of_interest  // path or []

    main:
    // The suffix of the trace files is new in each run, and would make each run look like new work; the web hook's address
    // is not to stand in a task's script.
    def given = settings.findAll { name, _value -> !(name in ['trace_report_suffix', 'hook_url']) }
    // A test without --input makes its own samples first.
    def ch_samplesheet = channel.empty()
    if (settings.input) {
        ch_samplesheet = channel.value(file(settings.input, glob: false))
    }
    else {
        SIMULATE(settings.simulate)
        ch_samplesheet = SIMULATE.out.folder.map { folder -> folder.resolve('samplesheet.csv') }
        given = given + [input: 'samplesheet.csv']
    }
    SAMPLESHEET_CHECK(
        ch_samplesheet,
        file("${moduleDir}/../../../assets/schema_input.json"),
        file("${moduleDir}/../../../nextflow_schema.json"),
        settings.validate_params ? writtenOnce(groovy.json.JsonOutput.toJson(given.sort())) : [],
        settings.report_thresholds ? file(settings.report_thresholds, glob: false) : [],
    )

    ch_samples = SAMPLESHEET_CHECK.out.rows
        .splitJson()
        .combine(ch_samplesheet)
        .map { row, sheet ->
            def meta = [id: row.sample, role: row.role, bin_size_um: row.bin_size_um, unit: row.unit, microns_per_pixel: row.microns_per_pixel] + row.subMap(['study', 'batch', 'donor', 'condition']).findAll { _name, value -> value != null }
            def outs = stageSample(row, sheet.parent)
            if (outs.problem) {
                error(outs.problem)
            }
            [meta, outs.files, writtenOnce(groovy.json.JsonOutput.toJson(outs.manifest)), outs.image, outs.alignment]
        }

    // The sizes are not part of a sample's meta: another section in the sheet makes no sample's work new.
    studies = SAMPLESHEET_CHECK.out.rows.flatMap { json ->
        new groovy.json.JsonSlurperClassic()
            .parseText(json.text)
            .findAll { row -> row.study }
            .groupBy { row -> row.study }
            .findAll { _study, rows -> rows.size() > 1 }
            .collectMany { study, rows -> rows.collect { row -> [row.sample, study, rows.size()] } }
    }

    // Reference samples train the super-resolution model, where one is trained, and take no part in the rest.
    ch_query = ch_samples
        .filter { meta, _files, _manifest, _image, _alignment -> meta.role == 'query' }
        .map { meta, files, manifest, image, _alignment -> [meta, files, manifest, image] }
    ch_reference = ch_samples.filter { meta, _files, _manifest, _image, _alignment -> meta.role == 'reference' }
    def learns = !(settings.skip_superres || settings.diffst_checkpoint || settings.diffst_pretrained)
    REFERENCE_PREPARE(learns ? ch_reference : channel.empty(), encoderFiles(settings.image_encoder))
    if (settings.diffst_pretrained) {
        ch_reference
            .map { meta, _files, _manifest, _image, _alignment -> meta.id }
            .toSortedList()
            .filter { names -> names }
            .subscribe { names ->
                log.warn("--diffst_pretrained replaces references: the references in the samplesheet are not used for training (${names.join(', ')})")
            }
    }

    SPACERANGER_CHECK(ch_query)
    // From here on a sample's meta says how large it is: what the later steps ask for follows from it (conf/base.config).
    ch_checked = ch_query
        .join(SPACERANGER_CHECK.out.record)
        .map { meta, files, manifest, image, json ->
            def facts = readRecord(json).metrics
            [meta + facts.subMap(['n_spots', 'n_genes', 'n_entries']), files, manifest, image, json, facts]
        }
    ch_check_records = ch_checked.map { meta, _files, _manifest, _image, json, _facts -> [meta, json] }
    CHECK_GATE(settings, ch_check_records.mix(REFERENCE_PREPARE.out.record))

    ch_to_ingest = settings.validate_only
        ? channel.empty()
        : ch_checked.map { meta, files, manifest, image, _json, _facts -> [meta, files, manifest, image] }.join(CHECK_GATE.out.good)
    SPACERANGER_INGEST(ch_to_ingest)
    SPOT_QC(SPACERANGER_INGEST.out.h5ad, genes_of_interest)
    // A sample that ingest refused has come as far as it will.
    ch_refused_at_ingest = SPACERANGER_INGEST.out.record.filter { _meta, json -> readRecord(json).status != 'ok' }
    QC_GATE(settings, SPOT_QC.out.record.mix(ch_refused_at_ingest))

    h5ad = SPOT_QC.out.h5ad.join(QC_GATE.out.good)
    // The check says whether super-resolution can use the image. An HD section is finer than what it would predict.
    images = ch_checked.map { meta, _files, _manifest, image, _json, facts ->
        [meta, facts.superres_possible && facts.assay != 'visium_hd' ? image : []]
    }
    // To learn from references is costly, and of no use where no sample came this far that can be super-resolved.
    ch_first = h5ad.join(images).filter { _meta, _h5ad, image -> image }.first().map { meta, _h5ad, _image -> [meta.id] }
    references = REFERENCE_PREPARE.out.reference
        .mix(REFERENCE_PREPARE.out.histology)
        .map { _meta, file -> file }
        .combine(ch_first)
        .map { file, _sample -> file }
    // A reference that was refused is reported like a refused sample.
    ch_refused_references = REFERENCE_PREPARE.out.record.filter { _meta, json -> readRecord(json).status != 'ok' }
    records = ch_check_records.mix(ch_refused_references, SPACERANGER_INGEST.out.record, SPOT_QC.out.record)
    refused = CHECK_GATE.out.refused.mix(QC_GATE.out.refused)

    emit:
    h5ad        // channel: [ meta, h5ad ]
    images      // channel: [ meta, image or [] ] full-resolution histology that super-resolution can use
    references  // channel: h5ad of each reference, divided into bins, and the features of its image if it has one; once a sample can use them
    studies     // channel: [ sample, study, number of the study's sections ] of each sample of a study of two sections or more
    records     // channel: [ meta, json ]
    refused     // channel: [ sample, step, reasons ]
}
