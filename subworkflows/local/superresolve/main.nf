// The place of super-resolution (Diff-ST). Its parameters are in the schema and its channels are wired; the run refuses
// `--skip_superres false`, so nothing here pretends.

workflow SUPERRESOLVE {
    take:
    h5ad    // channel: [ meta, h5ad ] after denoising
    images  // channel: [ meta, image or [] ] full-resolution histology

    main:
    // The samples that the models will be given: those with a full-resolution image.
    ready = h5ad.join(images).filter { _meta, _h5ad, image -> image }
    records = channel.empty()

    emit:
    ready    // channel: [ meta, h5ad, image ]
    records  // channel: [ meta, json ]
}
