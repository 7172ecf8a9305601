// Sections of one study: integrated once all of them are through, while other samples go on. A section that was refused on
// the way counts as through; where a task died, the study starts when no other sample is left.

include { STUDY_INTEGRATE } from '../../../modules/local/study/integrate'
include { STUDY_REPORT } from '../../../modules/local/study/report'
include { STUDY_SPATIALDATA } from '../../../modules/local/study/spatialdata'
include { OPTIONAL_STEP as EXPORT_STEP } from '../utils_clearspot_pipeline/records'
include { OPTIONAL_STEP as INTEGRATION_STEP } from '../utils_clearspot_pipeline/records'

workflow STUDY {
    take:
    settings // map: every parameter by name
    h5ad     // channel: [ meta, h5ad ] of each section after denoising; meta.study names its study
    studies  // channel: [ sample, study, number of the study's sections ] of each section of a study of two or more
    refused  // channel: [ sample, step, reasons ]

    main:
    ch_done = h5ad.map { meta, file -> [meta.id, meta, file] }
    ch_lost = refused.map { sample, _step, _reasons -> [sample, null, null] }.unique { entry -> entry[0] }
    ch_studies = studies
        .join(ch_done.mix(ch_lost))
        .map { _sample, study, n_sections, meta, file -> [groupKey(study, n_sections as Integer), n_sections, meta, file] }
        .groupTuple(remainder: true)
        .map { key, sizes, metas, files ->
            def there = [metas, files].transpose().findAll { meta, _file -> meta }.sort { entry -> entry[0].id }
            def facts = there.collect { entry -> entry[0] }
            def meta = [
                id: key.getGroupTarget(),
                n_sections: sizes[0],
                n_spots: facts.sum(0L) { fact -> fact.n_spots ?: 0 },
                n_genes: facts.collect { fact -> fact.n_genes ?: 0 }.max() ?: 0,
                n_entries: facts.sum(0L) { fact -> fact.n_entries ?: 0 },
            ]
            [meta, there.collect { entry -> entry[1] }]
        }
        .filter { _meta, files -> files }
    STUDY_INTEGRATE(ch_studies)
    INTEGRATION_STEP('study', ch_studies.map { meta, _files -> [meta] }, STUDY_INTEGRATE.out.record)

    STUDY_REPORT(STUDY_INTEGRATE.out.h5ad.join(INTEGRATION_STEP.out.done).join(ch_studies))

    ch_to_export = settings.skip_spatialdata ? channel.empty() : STUDY_INTEGRATE.out.h5ad.join(ch_studies)
    STUDY_SPATIALDATA(ch_to_export)
    EXPORT_STEP('study_spatialdata', ch_to_export.map { meta, _study, _sections -> [meta] }, STUDY_SPATIALDATA.out.record)

    records = INTEGRATION_STEP.out.done.mix(INTEGRATION_STEP.out.left_out, EXPORT_STEP.out.done, EXPORT_STEP.out.left_out)
    reports = STUDY_REPORT.out.html

    emit:
    records  // channel: [ study meta, json ] of each step of a study
    reports  // channel: [ study meta, html ]
}
