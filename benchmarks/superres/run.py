"""Run super-resolution methods on cases with a known truth, and keep every result at once.

    python benchmarks/superres/run.py                                # baselines on all cases, about 20 minutes
    python benchmarks/superres/run.py --cases phantom --methods meannet diffst
    python benchmarks/superres/run.py --table                        # results.csv -> results.md

What ``results.csv`` has already is skipped, so a run that was broken off goes on where it was. Work files (the phantom)
go to ``--work``; nothing of that is kept in the repository.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
from baselines import BASELINES, NEEDS_IMAGE, NotInstalledError, projected
from cases import Case, Prediction
from cell_case import cell_case
from hidden_case import hidden_case
from model import MODELS, others, sister
from paper_scheme import paper_scheme, teachers
from phantom_case import phantom_case
from scoring import ceiling, score
from table import write_figure, write_table
from xenium_case import xenium_case

from clearspot.io.atomic import atomic_path

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data"

METHODS: dict[str, Callable[[Case], Prediction]] = BASELINES | MODELS | {"paper-scheme": paper_scheme}
"""A further method is one more function ``predict(case) -> Prediction`` in here."""


def all_cases(work: Path) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Names, and how to make each case."""
    for seed in (0, 1, 2):
        for factor in (5, 10):
            yield f"phantom-{seed}-{factor}x", lambda args=(factor, work), seed=seed: phantom_case(*args, seed=seed)
    crops = {name: DATA / "xenium_crops" / f"{name}.h5ad" for name in ("bulbasaur", "charmander", "squirtle")}
    for name, path in (crops | {"pair": DATA / "xenium_pair" / "xenium_cells.h5ad"}).items():
        for factor in (5, 10):
            yield f"xenium-{name}-{factor}x", lambda args=(path, name, factor): xenium_case(*args)
    for source, names in (("her2st", ("C2", "C3", "C4", "C5", "C6")), ("mob", ("MOB1", "MOB2", "MOB3"))):
        for name in names:
            for every in (2, 4, 8):
                path = DATA / source / f"{name}.h5ad"
                yield f"{source}-{name}-hide{every}", lambda path=path, every=every: hidden_case(path, every)
    yield "cells-NCBI858-hide4", lambda: cell_case(DATA / "xenium_he" / "NCBI858.h5ad", 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[""], help="beginnings of case names")
    parser.add_argument("--methods", nargs="*", default=list(BASELINES), choices=list(METHODS))
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--results", type=Path, default=HERE / "results.csv", help="where the results go")
    parser.add_argument("--table", action="store_true", help="only write the table of what is there")
    args = parser.parse_args()
    for name, make in () if args.table else all_cases(args.work):
        missing = [method for method in args.methods if (name, method) not in _done(args.results)]
        if not name.startswith(tuple(args.cases)) or not missing:
            continue
        case = make()
        best = ceiling(case)
        for method in missing:
            if case.image is None and method in NEEDS_IMAGE:
                continue
            if method == "paper-scheme" and not teachers(case):
                continue
            if method == "diffst-other-section" and sister(case) is None:
                continue
            if method == "diffst-other-sections" and not others(case):
                continue
            try:
                rows = _run(case, method, best)
            except NotInstalledError as absent:
                print(f"{method}: {absent}", flush=True)
                continue
            _add(rows, args.results)
    write_table(args.results, args.results.with_suffix(".md"))
    write_figure(args.results, args.results.with_suffix(".png"))


def _run(case: Case, method: str, best: float | None) -> list[dict[str, object]]:
    began = time.perf_counter()
    prediction = METHODS[method](case)
    seconds = time.perf_counter() - began
    about = {"case": case.name, "method": method, "seconds": round(seconds, 2), "ceiling": best}
    versions = {"none": prediction} | {onto: projected(case, prediction, onto) for onto in ("measured", "shrunk")}
    rows = [about | {"projection": name} | row for name, one in versions.items() for row in score(case, one)]
    print(f"{case.name:28s} {method:18s} {seconds:7.1f} s  pearson {rows[0]['pearson']:.3f}", flush=True)
    return rows


def _done(results: Path) -> set[tuple[str, str]]:
    if not results.exists():
        return set()
    return set(pd.read_csv(results)[["case", "method"]].itertuples(index=False, name=None))


def _add(rows: list[dict[str, object]], results: Path) -> None:
    """Append and sort, so that the file does not depend on the order of runs."""
    known = pd.read_csv(results).to_dict("records") if results.exists() else []
    table = pd.DataFrame(known + rows).sort_values(["case", "method", "projection", "region"])
    with atomic_path(results) as partial:
        table.to_csv(partial, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
