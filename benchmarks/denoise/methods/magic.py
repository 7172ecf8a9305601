"""MAGIC (van Dijk et al. 2018), the authors' `magic-impute`, in an environment of its own."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sections import Case

from methods.common import Denoised, from_log, log_rates, other_python, raw_rates

TIMES = (1, 2, 3, 5)
MORE_TIMES = (8,)
NEIGHBOURS = 5
"""MAGIC's default."""
MORE_NEIGHBOURS = (15, 45)
"""Besides, on bins and cells, like ``MORE_TIMES``: nearest spots are hard to tell by a few dozen counts."""
WORKER = Path(__file__).parents[1] / "workers" / "magic_smooth.py"


def magic(case: Case, seed: int) -> list[Denoised]:
    """Its diffusion operator from log data with its default settings, applied to the log data and to the rates.

    The diffusion time is MAGIC's ``t``; the default is 3. All of ``TIMES`` are given. On bins and cells, more times are
    tried, and more neighbours (MAGIC's ``knn``).
    """
    times = TIMES + (MORE_TIMES if case.many else ())
    answers = []
    for neighbours in (NEIGHBOURS, *(MORE_NEIGHBOURS if case.many else ())):
        also = "" if neighbours == NEIGHBOURS else f", knn={neighbours}"
        with tempfile.TemporaryDirectory() as folder:
            given, made = Path(folder) / "in.npz", Path(folder) / "out.npz"
            asked = {"times": times, "neighbours": neighbours, "seed": seed}
            np.savez(given, log=log_rates(case.section), rates=raw_rates(case.section), **asked)
            subprocess.run([other_python(), WORKER, given, made], check=True, stdout=subprocess.DEVNULL)
            with np.load(made) as answer:
                for time in times:
                    on_logs = from_log(answer[f"log{time}"], case.section).astype(np.float32)
                    answers.append(Denoised(on_logs, variant=f"on logs, t={time}{also}"))
                    answers.append(Denoised(answer[f"rates{time}"], variant=f"on rates, t={time}{also}"))
    return answers
