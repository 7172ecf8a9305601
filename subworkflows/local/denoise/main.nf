// Spatial graph, DUSTED denoising, spatial domains. A sample that one of them refuses goes no further.

include { SPATIAL_GRAPH } from '../../../modules/local/spatial/graph'
include { DUSTED_DENOISE } from '../../../modules/local/dusted/denoise'
include { SPATIAL_DOMAINS } from '../../../modules/local/spatial/domains'
include { geneFile } from '../utils_clearspot_pipeline/genes'
include { geneSet } from '../utils_clearspot_pipeline/genes'
include { readRecord } from '../utils_clearspot_pipeline/records'
include { refusal } from '../utils_clearspot_pipeline/records'
include { refusalText } from '../utils_clearspot_pipeline/records'
include { colours } from '../utils_clearspot_pipeline/terminal'

workflow DENOISE {
    take:
    settings           // map: every parameter by name
    h5ad               // channel: [ meta, h5ad ]
    genes_of_interest  // path or []

    main:
    SPATIAL_GRAPH(h5ad)
    DUSTED_DENOISE(
        SPATIAL_GRAPH.out.h5ad,
        genes_of_interest,
        geneFile(settings.dusted_genes),
        geneSet(settings.dusted_genes),
    )
    // [] stands for the file of denoised values where they are a layer.
    denoised = DUSTED_DENOISE.out.denoised.map { meta, files -> [meta, files ? files[0] : []] }
    SPATIAL_DOMAINS(DUSTED_DENOISE.out.h5ad.join(denoised))

    domains = SPATIAL_DOMAINS.out.h5ad
    records = SPATIAL_GRAPH.out.record.mix(DUSTED_DENOISE.out.record, SPATIAL_DOMAINS.out.record)
    refused = records
        .map { _meta, json -> readRecord(json) }
        .filter { record -> record.status != 'ok' }
        .map { record ->
            log.warn(refusalText(record, colours(settings.monochrome_logs)))
            refusal(record)
        }

    emit:
    domains   // channel: [ meta, h5ad ]
    denoised  // channel: [ meta, h5ad or [] ] denoised values of a section too large for a layer
    records   // channel: [ meta, json ]
    refused   // channel: [ sample, step, reasons ]
}
