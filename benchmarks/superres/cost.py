"""What sampling costs at several sizes of the section and of the panel.

    python benchmarks/superres/cost.py            # cost.csv and cost.png; what is there is skipped

Processor seconds (of one thread, so a busy machine changes little) and peak memory of a process of its own each, of an
untrained model: cost does not depend on the weights. Two draws of four evaluations; a run of 8 draws of 12 evaluations
costs twelve times as much for the networks. Training costs the same whatever the size.

``peak_mib`` is all that was resident, with pages of temporary files, which the system takes back when it needs them;
``own_mib`` is without pages of files.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pandas as pd

from clearspot.io.atomic import atomic_path

HERE = Path(__file__).resolve().parent
BINS_UM, PITCH_UM = 16.0, 100.0
TILE = 160
"""Bins along a tile's core, the preset's own."""

GENES = 64
SIZES = ((1, GENES), (2, GENES), (3, GENES), (4, GENES), (5, GENES), (1, 128), (1, 256), (1, 512))
"""Tiles along a side, and genes."""


class OwnMemory(Thread):
    """Watches the memory of this process that no file stands behind (``RssAnon`` of Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mib, self._ended = 0, Event()

    def run(self) -> None:
        while not self._ended.wait(0.02):
            status = Path("/proc/self/status").read_text()
            kib = status.split("RssAnon:")[1].split()[0]
            self.peak_mib = max(self.peak_mib, int(kib) // 1024)

    def end(self) -> int:
        """Stop watching, and say the largest."""
        self._ended.set()
        self.join()
        return self.peak_mib


def measure(tiles: int, n_genes: int) -> dict[str, float]:
    """Sample a section of that size in this process."""
    import numpy as np
    import scipy.sparse as sp
    import torch
    from cases import section

    from clearspot.diffst.data.programs import Programs
    from clearspot.diffst.data.section import read_section
    from clearspot.diffst.generate.fitted import Fitted
    from clearspot.diffst.generate.predicting import predict
    from clearspot.diffst.image.histology import no_image
    from clearspot.diffst.networks.model import DiffstModel
    from clearspot.diffst.params import DiffstParams

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    length = tiles * TILE * BINS_UM
    rows = np.arange(PITCH_UM, length - PITCH_UM, PITCH_UM * np.sqrt(3) / 2)
    columns = [np.arange(PITCH_UM * (1 + n % 2 / 2), length - PITCH_UM, PITCH_UM) for n in range(len(rows))]
    xy = np.array([(x, y) for y, of_row in zip(rows, columns, strict=True) for x in of_row])
    counts = sp.csr_matrix(rng.poisson(rng.gamma(2, 1, (1, n_genes)), (len(xy), n_genes)))
    adata = section(counts, pd.Index([f"g{n}" for n in range(n_genes)]), xy, 1.0)
    params = DiffstParams.preset("cpu", genes="all", bin_um=BINS_UM, tile=TILE, samples=2, evaluations=4, image=False)
    spots = read_section(adata, "cost", params)
    loadings = rng.gamma(0.5, 1, (params.n_programs, n_genes)).astype(np.float32) + 1e-3
    programs = Programs(spots.genes, loadings / loadings.sum(axis=1, keepdims=True))
    model = DiffstModel(params.n_programs, no_image((8, 8)).n_features, params).eval()
    watcher = OwnMemory()
    watcher.start()
    began = time.process_time()
    with TemporaryDirectory() as folder:
        fitted = Fitted(model, programs, params, None)
        maps = predict(spots, None, fitted, params, torch.device("cpu"), Path(folder), progress=False)
        networks = time.process_time() - began
        for _ in maps.summaries(progress=False):
            pass
        genes = time.process_time() - began - networks
    return {
        "tiles": tiles**2,
        "bins": spots.grid.n_bins,
        "genes": n_genes,
        "cpu_s_networks": round(networks, 2),
        "cpu_s_genes": round(genes, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "own_mib": watcher.end(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*args.one)))
        return
    path = HERE / "cost.csv"
    done = pd.read_csv(path).to_dict("records") if path.exists() else []
    for tiles, genes in SIZES:
        if any((row["tiles"], row["genes"]) == (tiles**2, genes) for row in done):
            continue
        command = [sys.executable, __file__, "--one", str(tiles), str(genes)]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        done.append(json.loads(found))
        print(done[-1], flush=True)
        with atomic_path(path) as partial:
            pd.DataFrame(done).to_csv(partial, index=False)
    _plot(pd.DataFrame(done))


def _plot(table: pd.DataFrame) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = figure.subplots(1, 3)
    sizes = table[table["genes"] == GENES].sort_values("tiles")
    panels[0].plot(sizes["tiles"], sizes["cpu_s_networks"], "o-")
    panels[0].set(xlabel="tiles", ylabel="processor seconds, networks", ylim=(0, None), xlim=(0, None))
    panels[1].plot(sizes["tiles"], sizes["peak_mib"], "o-", label="with pages of files")
    panels[1].plot(sizes["tiles"], sizes["own_mib"], "o-", label="own")
    panels[1].legend()
    panels[1].set(xlabel="tiles", ylabel="peak memory, MiB", ylim=(0, None), xlim=(0, None))
    genes = table[table["tiles"] == 1].sort_values("genes")
    panels[2].plot(genes["genes"], genes["cpu_s_genes"], "o-")
    panels[2].set(xlabel="genes", ylabel="processor seconds, genes", ylim=(0, None), xlim=(0, None))
    figure.savefig(HERE / "cost.png", dpi=120)


if __name__ == "__main__":
    main()
