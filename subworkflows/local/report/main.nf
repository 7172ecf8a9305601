// One page a sample, one for the cohort; samples that were refused are in both, with the reason. And the sample as
// SpatialData, for viewers.

include { SAMPLE_REPORT } from '../../../modules/local/report/sample'
include { SPATIALDATA_EXPORT } from '../../../modules/local/spatialdata/export'
include { COHORT_REPORT } from '../../../modules/local/report/cohort'

workflow REPORT {
    take:
    finished      // channel: [ meta, h5ad, denoised or [], superres or [], [ json of super-resolution ] ]
    records       // channel: [ meta, json ] of every other step and sample
    n_records     // integer: how many of these a finished sample has
    versions      // channel: path of the collated software versions
    code_version  // string

    main:
    // A finished sample's page is written at once; a refused one has fewer parts, and its page comes when all else is done.
    ch_parts = records
        .map { meta, json -> [groupKey(meta, n_records + 1), [json: json]] }
        .mix(finished.map { meta, data, denoised, superres, jsons ->
            [groupKey(meta, n_records + 1), [h5ad: data, denoised: denoised, superres: superres, jsons: jsons]]
        })
        .groupTuple(remainder: true)
        .map { key, parts ->
            def data = parts.find { part -> part.h5ad } ?: [h5ad: [], denoised: [], superres: [], jsons: []]
            def jsons = (parts.findResults { part -> part.json } + data.jsons).sort { json -> json.name }
            [key.getGroupTarget(), jsons, data.h5ad, data.denoised, data.superres]
        }
    def thresholds = params.report_thresholds ? file(params.report_thresholds, checkIfExists: true, glob: false) : []
    SAMPLE_REPORT(ch_parts, thresholds, code_version)
    SPATIALDATA_EXPORT(params.skip_spatialdata ? channel.empty() : finished.map { meta, data, _denoised, _superres, _jsons -> [meta, data] }, code_version)

    def configs = [file("${projectDir}/assets/multiqc_config.yml")] + (params.multiqc_config ? [file(params.multiqc_config, checkIfExists: true, glob: false)] : [])
    ch_jsons = records.map { _meta, json -> json }.mix(finished.flatMap { _meta, _data, _denoised, _superres, jsons -> jsons })
    ch_cohort = params.skip_multiqc ? channel.empty() : ch_jsons.toSortedList { a, b -> a.name <=> b.name }.filter { jsons -> jsons }
    COHORT_REPORT(ch_cohort, versions, configs, thresholds, code_version)

    sample_reports = SAMPLE_REPORT.out.html
    cohort_report = COHORT_REPORT.out.html

    emit:
    sample_reports  // channel: [ meta, html ]
    cohort_report   // channel: html
}
