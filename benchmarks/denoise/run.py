"""Run one evaluation; what its results file has already is skipped.

python benchmarks/denoise/run.py a --seeds 3
python benchmarks/denoise/run.py b --seeds 3
python benchmarks/denoise/run.py c --cases dlpfc --methods neighbours dusted --seeds 3
"""

from __future__ import annotations

import argparse
import importlib
import time

from methods import METHODS
from methods.common import NotInstalledError
from results_file import Cells

EVALUATIONS = {
    "a": "a_simulation",
    "b": "b_held_out",
    "c": "c_labels",
    "d": "d_xenium",
    "e": "e_moran",
    "f": "f_embedding",
    "g": "g_bins_and_cells",
}
DETERMINISTIC = ("gene_mean", "raw", "neighbours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluation", choices=sorted(EVALUATIONS))
    parser.add_argument("--cases", nargs="*", default=[""], help="beginnings of case names")
    parser.add_argument("--methods", nargs="*", choices=sorted(METHODS), help="default: the evaluation's own list")
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    evaluation = importlib.import_module(f"evaluations.{EVALUATIONS[args.evaluation]}")
    cells = Cells(args.evaluation)
    for seed in range(args.seeds):
        for case in evaluation.cases():
            for method in args.methods or evaluation.METHODS:
                if not case.startswith(tuple(args.cases)) or cells.has(case, method, seed):
                    continue
                began = time.perf_counter()
                try:
                    rows = evaluation.evaluate(case, method, seed)
                except NotInstalledError as missing:
                    print(f"{method}: {missing}", flush=True)
                    continue
                cells.add(case, method, seed, rows)
                print(f"{case:26s} {method:14s} seed {seed} {time.perf_counter() - began:7.1f} s", flush=True)


if __name__ == "__main__":
    main()
