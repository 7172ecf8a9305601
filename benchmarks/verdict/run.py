#!/usr/bin/env python3
"""Make good and spoilt slides, take them through check, ingest, quality control and graph, and keep what was measured.

A slide whose line is in the results is not made again. The verdict is given by ``table.py``, so that limits can be
changed without another run.
"""

from __future__ import annotations

import re
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click
from cases import Case, all_cases
from results import RESULTS, as_line, read
from slides import DATA, records


@click.command()
@click.option("--cases", "pattern", default="", help="Only slides whose name has this regular expression.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Slides at once.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS, show_default=True)
def main(pattern: str, jobs: int, output: Path) -> None:
    """Write a line a slide to the results."""
    done = {case.name for case, _ in read(output)}
    wanted = [case for case in all_cases() if re.search(pattern, case.name) and case.name not in done]
    if not DATA.is_dir():
        click.echo(f"{DATA} is not on this machine: real sections are left out", err=True)
        wanted = [case for case in wanted if not case.source]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool, output.open("a", encoding="utf-8") as file:
        for number, line in enumerate(pool.map(_one, wanted), start=1):
            file.write(line + "\n")
            file.flush()
            sys.stdout.write(f"{number}/{len(wanted)} {wanted[number - 1].name}\n")


def _one(case: Case) -> str:
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    return as_line(case, records(case), time.perf_counter() - began)


if __name__ == "__main__":
    main()
