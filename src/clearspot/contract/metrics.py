"""Every metric that a step writes into its record, declared once: name, kind, unit, words, direction.

Reports, ``qc_summary.csv``, limits and the tables of the documentation take them from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clearspot.contract.metric import Metric
from clearspot.contract.metrics_of_data import METRICS_OF_DATA
from clearspot.contract.metrics_of_models import METRICS_OF_MODELS
from clearspot.contract.metrics_of_space_ranger import STATED
from clearspot.contract.metrics_of_studies import METRICS_OF_STUDIES

METRICS: Final[tuple[Metric, ...]] = (*METRICS_OF_DATA, *METRICS_OF_MODELS, *METRICS_OF_STUDIES)
"""All metrics, by step."""

_BY_STEP: Final = {(step, metric.name): metric for metric in (*METRICS, *STATED) for step in metric.steps}


def get_metric(step: str, name: str) -> Metric:
    """Return the declaration of a step's metric (or of a figure that Space Ranger states).

    Raises
    ------
    KeyError
        If the step declares no such metric.
    """
    return _BY_STEP[step, name]


def is_declared(step: str, name: str) -> bool:
    """Whether a step declares a metric of that name."""
    return (step, name) in _BY_STEP


def metrics_of(step: str) -> tuple[Metric, ...]:
    """Return the metrics that a step writes, in order."""
    return tuple(metric for metric in METRICS if step in metric.steps)


def check_metrics(step: str, metrics: Mapping[str, Any]) -> None:
    """Hold a record's metrics against the declaration.

    Raises
    ------
    ValueError
        With every metric that is undeclared, or whose value is not of the declared kind.
    """
    wrong = []
    for name, value in metrics.items():
        declared = _BY_STEP.get((step, name))
        if declared is None:
            wrong.append(f"{name} is not declared")
        elif not declared.accepts(value):
            wrong.append(f"{name} = {value!r} is not a {declared.kind}")
    if wrong:
        raise ValueError(f"metrics of the step {step}: {'; '.join(wrong)} (clearspot.contract.metrics)")
