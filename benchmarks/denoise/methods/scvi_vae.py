"""scVI (Lopez et al. 2018), the authors' `scvi-tools`, in an environment of its own."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sections import Case

from methods.common import Denoised, other_python

WORKER = Path(__file__).parents[1] / "workers" / "scvi_train.py"


def scvi(case: Case, seed: int) -> list[Denoised]:
    """Default settings; its library sizes become size factors, its frequencies rates."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, counts=case.section.counts.toarray(), seed=seed)
        subprocess.run([other_python(), WORKER, given, made], check=True, stdout=subprocess.DEVNULL)
        with np.load(made) as answer:
            totals = np.asarray(case.section.counts.sum(axis=1))
            rates = answer["frequencies"] * totals / case.section.size_factor[:, None]
            return [Denoised(rates.astype(np.float64), answer["latent"])]
