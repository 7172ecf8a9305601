// One page a sample, one for the cohort; samples that were refused are in both, with the reason. And the sample as
// SpatialData, for viewers.

include { SAMPLE_REPORT } from '../../../modules/local/report/sample'
include { SPATIALDATA_EXPORT } from '../../../modules/local/spatialdata/export'
include { COHORT_REPORT } from '../../../modules/local/report/cohort'
include { OPTIONAL_STEP as EXPORT_STEP } from '../utils_clearspot_pipeline/records'
include { FAIL_RUN } from './fail_run'
include { readRecord } from '../utils_clearspot_pipeline/records'
include { refusal } from '../utils_clearspot_pipeline/records'
include { refusalText } from '../utils_clearspot_pipeline/records'
include { verdictOf } from '../utils_clearspot_pipeline/records'
include { requiredRecords } from '../utils_clearspot_pipeline/records'
include { colours } from '../utils_clearspot_pipeline/terminal'

workflow REPORT {
    take:
    settings     // map: every parameter by name
    finished     // channel: [ meta, h5ad, denoised or [], superres or [], [ json of super-resolution, ... ] ]
    records      // channel: [ meta, json ] of every required step and sample
    refused      // channel: [ sample, step, reasons ] of samples that were refused after costly work
    run_records  // channel: json of each optional step that runs once for all samples
    studies      // channel: [ study meta, json ] of each step of a study
    versions     // channel: path of the collated software versions

    main:
    ch_to_export = settings.skip_spatialdata ? channel.empty() : finished.map { meta, data, _denoised, superres, _jsons -> [meta, data, superres] }
    SPATIALDATA_EXPORT(ch_to_export)
    EXPORT_STEP('spatialdata', ch_to_export.map { meta, _data, _superres -> [meta] }, SPATIALDATA_EXPORT.out.record)
    ch_finished = settings.skip_spatialdata
        ? finished
        : finished.join(EXPORT_STEP.out.done.mix(EXPORT_STEP.out.left_out)).map { meta, data, denoised, superres, jsons, json ->
            [meta, data, denoised, superres, jsons + [json]]
        }

    // A finished sample's page is written at once; a refused one has fewer parts, and its page comes when all else is done.
    def n_parts = requiredRecords() + 1
    ch_records = settings.validate_only ? channel.empty() : records
    ch_parts = ch_records
        .map { meta, json -> [groupKey(meta, n_parts), [json: json]] }
        .mix(ch_finished.map { meta, data, denoised, superres, jsons ->
            [groupKey(meta, n_parts), [h5ad: data, denoised: denoised, superres: superres, jsons: jsons]]
        })
        .groupTuple(remainder: true)
        .map { key, parts ->
            def data = parts.find { part -> part.h5ad } ?: [h5ad: [], denoised: [], superres: [], jsons: []]
            def jsons = (parts.findResults { part -> part.json } + data.jsons).sort { json -> json.name }
            [key.getGroupTarget(), jsons, data.h5ad, data.denoised, data.superres]
        }
    def thresholds = settings.report_thresholds ? file(settings.report_thresholds, glob: false) : []
    SAMPLE_REPORT(ch_parts, thresholds)

    def configs = [file("${moduleDir}/../../../assets/multiqc_config.yml")] + (settings.multiqc_config ? [file(settings.multiqc_config, glob: false)] : [])
    ch_optional = ch_finished.flatMap { _meta, _data, _denoised, _superres, jsons -> jsons }.mix(run_records)
    ch_jsons = ch_records.map { _meta, json -> json }.mix(ch_optional, studies.map { _meta, json -> json })
    ch_cohort = settings.skip_multiqc ? channel.empty() : ch_jsons.toSortedList { a, b -> a.name <=> b.name }.filter { jsons -> jsons }
    COHORT_REPORT(ch_cohort, versions, configs, thresholds)

    // The gates end a run before costly work. After it, all else is finished and reported first.
    FAIL_RUN(refused.map { sample, _step, _reasons -> sample }.toSortedList().filter { samples -> samples && settings.on_bad_sample == 'fail' })

    sample_reports = SAMPLE_REPORT.out.html
    verdicts = SAMPLE_REPORT.out.metrics.map { meta, json -> [meta.id] + verdictOf(json) }
    cohort_report = COHORT_REPORT.out.html
    left_out = ch_optional
        .mix(studies.map { _meta, json -> json })
        .map { json -> readRecord(json) }
        .filter { record -> record.status != 'ok' }
        .map { record ->
            log.warn(refusalText(record, colours(settings.monochrome_logs)))
            refusal(record)
        }

    emit:
    sample_reports  // channel: [ meta, html ]
    verdicts        // channel: [ sample, word, reason ]
    cohort_report   // channel: html
    left_out        // channel: [ sample, step, reasons ] of each optional step that a sample, a study or the run goes without
}
