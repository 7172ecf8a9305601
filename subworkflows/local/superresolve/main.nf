// Super-resolution (Diff-ST) of samples whose image allows it: features of the image, training (or a given model),
// sampling. Every sample comes out, those that were left out without the file: the reports wait for each. References are
// learned from once, and each sample's training starts from what came of it.

include { HISTOLOGY_EMBED } from '../../../modules/local/histology/embed'
include { DIFFUSION_PRETRAIN } from '../../../modules/local/diffusion/pretrain'
include { DIFFUSION_TRAIN } from '../../../modules/local/diffusion/train'
include { DIFFUSION_SAMPLE } from '../../../modules/local/diffusion/sample'
include { OPTIONAL_STEP as HISTOLOGY_STEP } from '../utils_clearspot_pipeline/records'
include { OPTIONAL_STEP as PRETRAINING_STEP } from '../utils_clearspot_pipeline/records'
include { OPTIONAL_STEP as TRAINING_STEP } from '../utils_clearspot_pipeline/records'
include { OPTIONAL_STEP as SAMPLING_STEP } from '../utils_clearspot_pipeline/records'
include { geneFile } from '../utils_clearspot_pipeline/genes'
include { geneSet } from '../utils_clearspot_pipeline/genes'
include { encoderFiles } from '../utils_clearspot_pipeline/encoder'

workflow SUPERRESOLVE {
    take:
    settings           // map: every parameter by name
    h5ad               // channel: [ meta, h5ad ] after denoising
    images             // channel: [ meta, image or [] ] full-resolution histology, [] where it cannot be used
    references         // channel: h5ad of each reference, and features of its image where it has one; none where nothing is to be learned
    genes_of_interest  // path or []

    main:
    def gene_file = geneFile(settings.superres_genes)
    def gene_set = geneSet(settings.superres_genes)

    ch_samples = h5ad.join(images).branch { _meta, _h5ad, image ->
        usable: image && !settings.skip_superres
        other: true
    }
    HISTOLOGY_EMBED(ch_samples.usable, encoderFiles(settings.image_encoder))
    HISTOLOGY_STEP('histology', ch_samples.usable.map { meta, _data, _image -> [meta] }, HISTOLOGY_EMBED.out.record)
    ch_embedded = ch_samples.usable.map { meta, data, _image -> [meta, data] }.join(HISTOLOGY_EMBED.out.histology)

    ch_references = references.toSortedList { a, b -> a.name <=> b.name }.filter { files -> files }
    DIFFUSION_PRETRAIN(ch_references)
    def run = [id: 'cohort']
    PRETRAINING_STEP('superres_pretrain', ch_references.map { _files -> [run] }, DIFFUSION_PRETRAIN.out.record.map { json -> [run, json] })

    // Where references taught nothing, each sample is trained on itself alone.
    ch_start = settings.diffst_pretrained
        ? channel.value(file(settings.diffst_pretrained, glob: false))
        : DIFFUSION_PRETRAIN.out.model.toList()
    ch_to_train = settings.diffst_checkpoint ? channel.empty() : ch_embedded
    DIFFUSION_TRAIN(ch_to_train, genes_of_interest, gene_file, gene_set, ch_start)
    TRAINING_STEP('superres_train', ch_to_train.map { meta, _data, _histology -> [meta] }, DIFFUSION_TRAIN.out.record)

    ch_models = settings.diffst_checkpoint
        ? ch_embedded.map { meta, data, histology -> [meta, data, histology, file(settings.diffst_checkpoint, glob: false)] }
        : ch_embedded.join(DIFFUSION_TRAIN.out.checkpoint)
    DIFFUSION_SAMPLE(ch_models, genes_of_interest, gene_file, gene_set)
    SAMPLING_STEP('superres', ch_models.map { meta, _data, _histology, _model -> [meta] }, DIFFUSION_SAMPLE.out.record)

    // The records up to the step that a sample ended at, and the file where that was the last.
    ch_modelled = settings.diffst_checkpoint
        ? HISTOLOGY_STEP.out.done.map { meta, embed -> [meta, [embed]] }
        : HISTOLOGY_STEP.out.done.join(TRAINING_STEP.out.done).map { meta, embed, train -> [meta, [embed, train]] }
    superres = ch_modelled
        .join(SAMPLING_STEP.out.done)
        .join(DIFFUSION_SAMPLE.out.superres)
        .map { meta, first, last, file -> [meta, file, first + [last]] }
        .mix(
            ch_samples.other.map { meta, _data, _image -> [meta, [], []] },
            HISTOLOGY_STEP.out.left_out.map { meta, embed -> [meta, [], [embed]] },
            HISTOLOGY_STEP.out.done.join(TRAINING_STEP.out.left_out).map { meta, embed, train -> [meta, [], [embed, train]] },
            ch_modelled.join(SAMPLING_STEP.out.left_out).map { meta, first, last -> [meta, [], first + [last]] },
        )

    run_records = PRETRAINING_STEP.out.done.mix(PRETRAINING_STEP.out.left_out).map { _run, json -> json }

    emit:
    superres     // channel: [ meta, superres h5ad or [], [ json, ... ] ]
    run_records  // channel: json of what was done once for all samples: learning from references
}
