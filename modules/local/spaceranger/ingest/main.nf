process SPACERANGER_INGEST {
    tag "${meta.id}"
    label 'process_low'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), path(manifest, stageAs: 'manifest.json'), path(image, stageAs: 'image/*')

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}.ingest.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def optional = [
        image ? '--image image/*' : '',
        meta.bin_size_um ? "--bin-size-um ${meta.bin_size_um}" : '',
        meta.unit ? "--unit ${meta.unit}" : '',
        meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : '',
    ].findAll().join(' ')
    def stated = ['study', 'batch', 'donor', 'condition'].findAll { name -> meta[name] }.collect { name -> "--${name} ${meta[name]}" }.join(' ')
    """
    # clearspot ${task.ext.code_version}
    outs=\$(link_outs.py --manifest manifest.json --staged staged)
    spaceranger_ingest.py --verdict-only --versions versions.yml --sample ${meta.id} --outs "\$outs" ${optional} ${stated} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    touch ${meta.id}.h5ad
    stub_record.py --step ingest --sample ${meta.id} --versions versions.yml
    """
}
