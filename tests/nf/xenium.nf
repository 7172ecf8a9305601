// Transcripts of three genes, as a Xenium output folder has them.

process XENIUM {
    output:
    path 'transcripts.parquet', emit: transcripts

    script:
    """
    #!/usr/bin/env python3
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    places = {f"{axis}_location": rng.uniform(0, 500, 5000).astype(np.float32) for axis in "xy"}
    pd.DataFrame(places | {"feature_name": rng.choice(["A", "B", "C"], 5000), "qv": 40.0}).to_parquet("transcripts.parquet")
    """
}
