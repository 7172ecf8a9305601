// The place of super-resolution (Diff-ST). Its parameters are in the schema and its channel is wired; --skip_superres is
// true and the run refuses `false`, so nothing here pretends.

workflow SUPERRESOLVE {
    take:
    h5ad    // channel: [ meta, h5ad ] after denoising
    images  // channel: [ meta, image or [] ] full-resolution histology

    main:
    ch_ready = h5ad.join(images).filter { _meta, _h5ad, image -> image && !params.skip_superres }

    emit:
    h5ad    = ch_ready.map { meta, data, _image -> [meta, data] }.filter { false }  // channel: [ meta, superres.h5ad ]
    records = channel.empty()                                                       // channel: [ meta, json ]
}
