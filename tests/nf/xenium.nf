// Transcripts of three genes, as a Xenium output folder has them, and an H&E image with its alignment: half a micrometre a pixel.

process XENIUM {
    output:
    path 'transcripts.parquet', emit: transcripts
    tuple path('transcripts.parquet'), path('he.tif'), path('he_alignment.csv'), emit: pair

    script:
    """
    #!/usr/bin/env python3
    import numpy as np
    import pandas as pd
    import tifffile

    rng = np.random.default_rng(0)
    places = {f"{axis}_location": rng.uniform(0, 500, 5000).astype(np.float32) for axis in "xy"}
    pd.DataFrame(places | {"feature_name": rng.choice(["A", "B", "C"], 5000), "qv": 40.0}).to_parquet("transcripts.parquet")
    tifffile.imwrite("he.tif", rng.integers(80, 240, (1020, 1020, 3)).astype(np.uint8), photometric="rgb")
    np.savetxt("he_alignment.csv", np.diag([0.5 / 0.2125, 0.5 / 0.2125, 1]), delimiter=",")
    """
}
