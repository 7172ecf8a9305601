// A small section for the module tests: simulated, and taken through the real scripts up to the step before the one
// under test. The sample's name is phantom_1; `upto` is one of outs, ingest, qc, graph, dusted, domains.

process SECTION {
    input:
    tuple val(meta), val(upto)

    output:
    tuple val(meta), path('outs.tar.gz'), path('image.tif'), emit: outs
    tuple val(meta), path('last/phantom_1.h5ad'), emit: h5ad, optional: true
    tuple val(meta), path('records/*.json'), emit: records, optional: true

    script:
    """
    clearspot simulate simulated --preset test --samples 1 --seed 7
    tar -C simulated/phantom_1 -czf outs.tar.gz outs
    cp simulated/phantom_1/image.tif image.tif

    mkdir last records
    after() {
        mv step/phantom_1.h5ad last/phantom_1.h5ad
        mv step/*.json records/
        rm -r step
        [ "\$1" != "${upto}" ] || exit 0
        mkdir step
    }
    [ "${upto}" != outs ] || exit 0
    mkdir step
    spaceranger_ingest.py --sample phantom_1 --outs simulated/phantom_1/outs --outdir step
    after ingest
    spot_qc.py --sample phantom_1 --h5ad last/phantom_1.h5ad --outdir step --min-counts 100 --min-genes 50 --n-hvgs 200
    after qc
    spatial_graph.py --sample phantom_1 --h5ad last/phantom_1.h5ad --outdir step
    after graph
    dusted_denoise.py --sample phantom_1 --h5ad last/phantom_1.h5ad --outdir step --epochs 20
    after dusted
    spatial_domains.py --sample phantom_1 --h5ad last/phantom_1.h5ad --outdir step --moran-n-genes 5 --moran-n-perms 10
    after domains
    """
}
