process HISTOLOGY_EMBED {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(image, stageAs: 'image/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.histology.npz"), emit: histology
    tuple val(meta), path("${meta.id}/${meta.id}.histology.json"), emit: record
    tuple val("${task.process}"), val('scikit-image'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-image\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def scale = meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : ''
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}
    histology_embed.py --outdir ${meta.id} --sample ${meta.id} --h5ad input/* --image image/* ${scale} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.histology.npz
    echo '{"sample": "${meta.id}", "step": "histology", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}/${meta.id}.histology.json
    """
}
