"""Text for a paper's methods section, with the references it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clearspot import __version__
from clearspot.contract.steps import RECORDED
from clearspot.extras import extra
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords, all_places, common_place
from clearspot.report.words import denoised_values

with extra("report"):
    from jinja2 import Environment, PackageLoader, StrictUndefined


def methods_html(samples: Sequence[SampleRecords]) -> str:
    """Describe what was done to the samples, from the parameters and metrics that the steps recorded.

    What the samples do not share is left out, or said of some of them.
    """
    environment = Environment(
        loader=PackageLoader("clearspot.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    params = {step: common_params(samples, step) for step in RECORDED}
    return environment.get_template("methods.html.j2").render(
        version=__version__,
        ran={step: any(records.ran(step) for records in samples) for step in RECORDED},
        params=params,
        values={
            (step, name): metric_values(samples, step, name)
            for step, name in (
                ("qc", "hvg_method"), ("graph", "lattice"), ("superres", "image_used"), ("superres", "mean_is"),
                ("superres", "bin_um"), ("superres", "gene_head_weight"), ("superres_train", "n_references"),
                ("domains", "domain_embedding"),
            )
        },
        places=all_places(samples),
        denoised=denoised_values(params["dusted"], common_place(samples)),
        versions=sorted({str(v) for r in samples if (v := r.metric("ingest", "software_version"))}),
    )  # fmt: skip


def common_params(samples: Sequence[SampleRecords], step: str) -> dict[str, Any]:
    """Return the parameters of a step that all samples share, ``None`` left out."""
    given = [record.params for record in _records(samples, step)]
    return {name: value for name, value in _common(given).items() if value is not None}


def metric_values(samples: Sequence[SampleRecords], step: str, name: str) -> list[Any]:
    """Return the different values of a metric over the samples whose step ran, ``None`` among them."""
    return list(dict.fromkeys(record.metrics.get(name) for record in _records(samples, step)))


def _records(samples: Sequence[SampleRecords], step: str) -> list[StepRecord]:
    return [records.steps[step] for records in samples if records.ran(step)]


def _common(given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = given[0] if given else {}
    return {name: value for name, value in first.items() if all(params.get(name) == value for params in given)}
