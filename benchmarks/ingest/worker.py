"""Read one sample with one reader in a process of its own; print what it took as one line of JSON."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def peak_mib() -> float:
    """Largest resident size of this program, from Linux: ``ru_maxrss`` would start at that of the parent process."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def reader(name: str) -> Callable[[Path], Any]:
    """Import one reader."""
    if name == "clearspot":
        from clearspot.io.ingest import ingest_outs

        return lambda path: ingest_outs(path, "s")[0].layers["counts"]
    if name == "squidpy":
        import squidpy as sq

        return lambda path: sq.read.visium(path).X
    if name == "spatialdata-io":
        from spatialdata_io import visium  # by name: the package imports its readers only when asked

        return lambda path: visium(path, dataset_id="s")["table"].X
    if name == "scanpy, matrix only":
        import scanpy as sc

        return lambda path: sc.read_10x_h5(next(path.glob("**/filtered_feature_bc_matrix.h5"))).X
    if name == "clearspot + write":
        from clearspot.io.atomic import write_h5ad
        from clearspot.io.ingest import ingest_outs

        def read_and_write(path: Path) -> Any:
            adata, _ = ingest_outs(path, "s")
            write_h5ad(adata, path.parent / "written.h5ad")
            return adata.layers["counts"]

        return read_and_write
    raise SystemExit(f"no reader {name}")


def main() -> None:
    start = time.perf_counter()
    read = reader(sys.argv[1])
    imported, peak_import = time.perf_counter(), peak_mib()
    cpu = time.process_time()
    counts = read(Path(sys.argv[2]))
    end, cpu = time.perf_counter(), time.process_time() - cpu
    print(
        json.dumps(
            {
                "import_s": imported - start,
                "read_s": end - imported,
                "cpu_s": cpu,
                "import_mib": peak_import,
                "peak_mib": peak_mib(),
                "umi": int(counts.sum(dtype="float64")),
                "shape": list(counts.shape),
            }
        )
    )


if __name__ == "__main__":
    main()
