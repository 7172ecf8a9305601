// A small section for the module tests: simulated, and taken through the real scripts up to the step before the one
// under test. The sample's name is phantom_1; `upto` is one of outs, ingest, qc, graph, dusted, domains.
// And a section that every step refuses: counts that are not whole, all spots at one place, two sections in one.

process SECTION {
    input:
    tuple val(meta), val(upto)

    output:
    tuple val(meta), path('outs.tar.gz'), path('image.tif'), emit: outs
    tuple val(meta), path('last/phantom_1.h5ad'), emit: h5ad, optional: true
    tuple val(meta), path('records/*.json'), emit: records, optional: true
    path 'unusable.h5ad', emit: unusable

    script:
    """
    #!/usr/bin/env python3
    # One process for all scripts: each would import the same packages again.
    import runpy
    import shutil
    from pathlib import Path

    import anndata as ad
    import numpy as np
    import pandas as pd

    from clearspot.cli import main as clearspot

    half = np.full((6, 4), 0.5, np.float32)
    obs = pd.DataFrame({"library_id": list("aaabbb")}, index=[f"spot_{i}" for i in range(6)])
    ad.AnnData(half, obs=obs, layers={"counts": half}, obsm={"spatial": np.zeros((6, 2))}).write_h5ad("unusable.h5ad")

    clearspot("simulate simulated --preset test --samples 1 --seed 7".split(), standalone_mode=False)
    shutil.make_archive("outs", "gztar", "simulated/phantom_1", "outs")
    shutil.copy("simulated/phantom_1/image.tif", "image.tif")

    H5AD = "--h5ad last/phantom_1.h5ad"
    STEPS = {
        "ingest": "spaceranger_ingest.py --outs simulated/phantom_1/outs",
        "qc": f"spot_qc.py {H5AD} --min-counts 100 --min-genes 50 --n-hvgs 200",
        "graph": f"spatial_graph.py {H5AD}",
        "dusted": f"dusted_denoise.py {H5AD} --epochs 20",
        "domains": f"spatial_domains.py {H5AD} --moran-n-genes 5 --moran-n-perms 10",
    }
    Path("records").mkdir()
    Path("last").mkdir()
    for step in list(STEPS)[: ["outs", *STEPS].index("${upto}")]:
        script, *options = STEPS[step].split()
        main = runpy.run_path(shutil.which(script))["main"]
        main(["--sample", "phantom_1", "--outdir", "step", *options], standalone_mode=False)
        shutil.move("step/phantom_1.h5ad", "last/phantom_1.h5ad")
        for record in Path("step").glob("*.json"):
            shutil.move(record, "records")
        shutil.rmtree("step")
    """
}
