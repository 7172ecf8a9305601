// Spatial graph, DUSTED denoising, spatial domains.

include { SPATIAL_GRAPH } from '../../../modules/local/spatial/graph'
include { DUSTED_DENOISE } from '../../../modules/local/dusted/denoise'
include { SPATIAL_DOMAINS } from '../../../modules/local/spatial/domains'

workflow DENOISE {
    take:
    h5ad               // channel: [ meta, h5ad ]
    genes_of_interest  // path or []
    code_version       // string

    main:
    def named_set = params.dusted_genes in ['hvg', 'all']
    SPATIAL_GRAPH(h5ad, code_version)
    DUSTED_DENOISE(
        SPATIAL_GRAPH.out.h5ad,
        genes_of_interest,
        named_set ? [] : file(params.dusted_genes, checkIfExists: true, glob: false),
        named_set ? params.dusted_genes : '',
        code_version,
    )
    // [] stands for the file of denoised values where they are a layer.
    denoised = DUSTED_DENOISE.out.denoised.map { meta, files -> [meta, files ? files[0] : []] }
    SPATIAL_DOMAINS(DUSTED_DENOISE.out.h5ad.join(denoised), code_version)

    domains = SPATIAL_DOMAINS.out.h5ad
    records = SPATIAL_GRAPH.out.record.mix(DUSTED_DENOISE.out.record, SPATIAL_DOMAINS.out.record)

    emit:
    domains   // channel: [ meta, h5ad ]
    denoised  // channel: [ meta, h5ad or [] ] denoised values of a section too large for a layer
    records   // channel: [ meta, json ]
}
