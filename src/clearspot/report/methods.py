"""Text for a paper's methods section, with the references it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from clearspot import __version__
from clearspot.contract.steps import RECORDED
from clearspot.report.metrics import SampleRecords


def methods_html(samples: Sequence[SampleRecords]) -> str:
    """Describe what was done to the samples, from the parameters that the steps recorded."""
    environment = Environment(
        loader=PackageLoader("clearspot.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("methods.html.j2").render(
        version=__version__,
        ran={step: any(records.ran(step) for records in samples) for step in RECORDED},
        params={step: common_params(samples, step) for step in RECORDED},
        versions=sorted({str(v) for r in samples if (v := r.metric("ingest", "software_version"))}),
    )


def common_params(samples: Sequence[SampleRecords], step: str) -> dict[str, Any]:
    """Return the parameters of a step that all samples share, ``None`` left out."""
    given = [records.steps[step].params for records in samples if records.ran(step)]
    if not given:
        return {}
    return {
        name: value
        for name, value in given[0].items()
        if value is not None and all(params.get(name) == value for params in given)
    }
