// One task of each label whose requests grow with the sample, for each size of a table (tests/pipeline/test_profiles.py).

params.sizes = null

process STEP {
    tag "${meta.size}"
    label 'process_low'
    ext spots: { meta.n_spots }, genes: { meta.n_genes }, entries: { meta.n_entries }

    input:
    val meta

    script:
    """
    true
    """
}

process MODEL {
    tag "${meta.size}"
    label 'process_gpu'
    ext spots: { meta.n_spots }, genes: { meta.n_genes }, entries: { meta.n_entries }

    input:
    val meta

    script:
    """
    true
    """
}

workflow {
    ch_sizes = channel.fromPath(params.sizes).splitCsv(header: true).map { row ->
        [size: row.size, n_spots: row.n_spots as long, n_genes: row.n_genes as long, n_entries: row.n_entries as long]
    }
    STEP(ch_sizes)
    MODEL(ch_sizes)
}
