"""MAGIC (van Dijk et al. 2018), the authors' `magic-impute`, in an environment of its own."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sections import Case

from methods.common import Denoised, from_log, log_rates, other_python, raw_rates

TIMES = (1, 2, 3, 5)
WORKER = Path(__file__).parents[1] / "workers" / "magic_smooth.py"


def magic(case: Case, seed: int) -> list[Denoised]:
    """Its diffusion operator from log data with its default settings, applied to the log data and to the rates.

    The diffusion time is MAGIC's ``t``; the default is 3. All of ``TIMES`` are given.
    """
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, log=log_rates(case.section), rates=raw_rates(case.section), times=TIMES, seed=seed)
        subprocess.run([other_python(), WORKER, given, made], check=True, stdout=subprocess.DEVNULL)
        with np.load(made) as answer:
            for time in TIMES:
                answers.append(Denoised(from_log(answer[f"log{time}"], case.section), variant=f"on logs, t={time}"))
                answers.append(Denoised(answer[f"rates{time}"].astype(np.float64), variant=f"on rates, t={time}"))
    return answers
