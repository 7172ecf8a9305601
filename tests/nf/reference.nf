// Prepared references for the tests of what learns from them: transcripts of a section's genes with an H&E image, on bins of
// 20 um, and one without an image whose genes no other has.

process REFERENCE {
    input:
    path h5ad

    output:
    path 'own.reference.*', emit: own
    path 'other.reference.h5ad', emit: other

    script:
    """
    #!/usr/bin/env python3
    import runpy
    import shutil
    from pathlib import Path

    import anndata as ad
    import numpy as np
    import pandas as pd
    import tifffile

    rng = np.random.default_rng(0)
    genes = ad.read_h5ad("${h5ad}", backed="r").var_names.to_numpy()
    tifffile.imwrite("he.tif", rng.integers(80, 240, (1640, 1640, 3)).astype(np.uint8), photometric="rgb")
    np.savetxt("he_alignment.csv", np.diag([0.5 / 0.2125, 0.5 / 0.2125, 1]), delimiter=",")
    prepare = runpy.run_path(shutil.which("reference_prepare.py"))["main"]
    image = "--image he.tif --image-alignment he_alignment.csv".split()
    for name, known, options in (("own", genes, image), ("other", [f"unheard_of_{i}" for i in range(20)], [])):
        Path(name).mkdir()
        places = {f"{axis}_location": rng.uniform(0, 800, 100_000).astype(np.float32) for axis in "xy"}
        table = pd.DataFrame(places | {"feature_name": rng.choice(known, 100_000), "qv": 40.0})
        table.to_parquet(Path(name, "transcripts.parquet"))
        prepare(["--sample", name, "--outs", name, "--bin-um", "20", *options], standalone_mode=False)
    """
}
