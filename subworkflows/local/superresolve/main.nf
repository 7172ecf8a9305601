// Super-resolution (Diff-ST) of samples whose image allows it: features of the image, training (or a given model),
// sampling. Every sample comes out, those that were left out without files: the reports wait for each.

include { HISTOLOGY_EMBED } from '../../../modules/local/histology/embed'
include { DIFFUSION_TRAIN } from '../../../modules/local/diffusion/train'
include { DIFFUSION_SAMPLE } from '../../../modules/local/diffusion/sample'

workflow SUPERRESOLVE {
    take:
    h5ad               // channel: [ meta, h5ad ] after denoising
    images             // channel: [ meta, image or [] ] full-resolution histology, [] where it cannot be used
    references         // channel: h5ad of each reference
    genes_of_interest  // path or []
    code_version       // string

    main:
    def named_set = params.superres_genes in ['hvg', 'all']
    def gene_file = named_set ? [] : file(params.superres_genes, checkIfExists: true, glob: false)
    def gene_set = named_set ? params.superres_genes : ''

    ch_samples = h5ad.join(images).branch { _meta, _h5ad, image ->
        usable: image && !params.skip_superres
        other: true
    }
    HISTOLOGY_EMBED(ch_samples.usable, code_version)
    ch_embedded = ch_samples.usable.map { meta, data, _image -> [meta, data] }.join(HISTOLOGY_EMBED.out.histology)

    // Every sample learns from all references.
    ch_references = references.toSortedList { a, b -> a.name <=> b.name }
    DIFFUSION_TRAIN(
        params.diffst_checkpoint ? channel.empty() : ch_embedded,
        genes_of_interest,
        gene_file,
        gene_set,
        ch_references,
        code_version,
    )
    ch_models = params.diffst_checkpoint
        ? ch_embedded.map { meta, data, histology -> [meta, data, histology, file(params.diffst_checkpoint, checkIfExists: true, glob: false)] }
        : ch_embedded.join(DIFFUSION_TRAIN.out.checkpoint)
    DIFFUSION_SAMPLE(ch_models, genes_of_interest, gene_file, gene_set, code_version)

    ch_first_records = params.diffst_checkpoint
        ? HISTOLOGY_EMBED.out.record.map { meta, json -> [meta, [json]] }
        : HISTOLOGY_EMBED.out.record.join(DIFFUSION_TRAIN.out.record).map { meta, embed, train -> [meta, [embed, train]] }
    superres = ch_first_records
        .join(DIFFUSION_SAMPLE.out.record)
        .join(DIFFUSION_SAMPLE.out.superres)
        .map { meta, first, last, file -> [meta, file, first + [last]] }
        .mix(ch_samples.other.map { meta, _data, _image -> [meta, [], []] })

    emit:
    superres  // channel: [ meta, superres h5ad or [], [ json, ... ] ]
}
