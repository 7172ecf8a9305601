#!/usr/bin/env python3
"""Write the empty record of a step, for stub runs: fast, since nothing but the standard library is imported."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

STEPS = Path(__file__).resolve().parents[1] / "src/clearspot/contract/steps.json"


def main() -> None:
    """Write the step's record and, where asked for, its versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", required=True)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--outdir", type=Path, default=Path())
    parser.add_argument("--versions", type=Path)
    parser.add_argument("--metric", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    (step,) = (step for step in json.loads(STEPS.read_text()) if step["name"] == options.step)
    metrics = {name: json.loads(value) for name, value in (metric.split("=", 1) for metric in options.metric)}
    empty = {"params": {}, "tables": {}, "messages": [], "problems": []}
    record = {"sample": options.sample, "step": options.step, "status": "ok", "metrics": metrics} | empty
    options.outdir.mkdir(parents=True, exist_ok=True)
    (options.outdir / step["record"].format(sample=options.sample)).write_text(json.dumps(record))
    if options.versions:
        options.versions.write_text(f'{step["process"]}:\n    clearspot: "stub"\n')


if __name__ == "__main__":
    main()
