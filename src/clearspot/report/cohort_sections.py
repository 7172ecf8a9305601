"""The sections of the cohort report, from the records of all samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from clearspot.report import mqc
from clearspot.report.format import Format, show
from clearspot.report.metrics import SampleRecords
from clearspot.report.palette import NEUTRAL, QUALITATIVE
from clearspot.report.verdict import Rule, figure, findings, verdict

_VERDICTS: Final = {"good": "usable", "look": "look first", "bad": "do not use", "unknown": "no verdict"}

_MOST_POINTS: Final = 200
"""Points of a loss curve that a plot of a hundred samples can bear."""

_DOMAIN_LIMIT: Final = 30

_STATED_SHOWN: Final = 12
"""Columns of Space Ranger's figures that are shown at first; there can be a hundred."""


def general_section(samples: Sequence[SampleRecords], rules: Sequence[Rule]) -> mqc.Section:
    """Figures that have a limit, and the verdict, in the table at the top."""
    headers: list[tuple[str, dict[str, Any]]] = [
        (
            "verdict",
            {
                "title": "Verdict",
                "description": "Worst traffic light of the sample's report",
                "scale": False,
                "cond_formatting_rules": {
                    "pass": [{"s_eq": "usable"}],
                    "warn": [{"s_eq": "look first"}],
                    "fail": [{"s_eq": "do not use"}, {"s_eq": "refused"}],
                },
            },
        )
    ]
    rows: dict[str, dict[str, Any]] = {}
    for records in samples:
        judged = verdict(records, findings(records, rules)).light
        rows[records.sample] = {"verdict": "refused" if records.failed_step else _VERDICTS[judged]}
    for rule in rules:
        values = {records.sample: _judged(records, rule) for records in samples}
        if any(value is not None for value in values.values()):
            headers.append((rule.id, _column(rule.title, rule.advice, rule.form) | mqc.limits(rule)))
            for sample, value in values.items():
                if value is not None:
                    rows[sample][rule.id] = value
    return mqc.general_statistics(rows, headers)


def cohort_sections(samples: Sequence[SampleRecords]) -> Iterator[mqc.Section]:
    """Every section that at least one sample has data for."""
    for section in (
        _refused, _warnings, _input, _space_ranger, _filters, _graph, _denoising, _loss, _domain_sizes, _moran,
        _superres, _superres_scores,
    ):  # fmt: skip
        built = section(samples)
        if built["data"]:
            yield built


def _judged(records: SampleRecords, rule: Rule) -> Any:
    value = figure(records, rule) if rule.of in ("both", records.spot_word) else None
    if isinstance(value, bool):
        return show(value, rule.form)
    return None if isinstance(value, str) else value


def _column(title: str, description: str, form: Format) -> dict[str, Any]:
    """Return a column's header; fractions are shown in per cent by MultiQC's own arithmetic."""
    header: dict[str, Any] = {"title": title, "description": description, "scale": False}
    formats: dict[Format, dict[str, Any]] = {
        "count": {"format": "{:,.0f}"},
        "number": {"format": "{:,.3g}"},
        "score": {"format": "{:,.4f}"},
        "percent": {"format": "{:,.1f}", "suffix": " %"},
        "fraction": {"format": "{:,.3f}"},
        "text": {},
        "passed": {},
    }
    return header | formats[form]


def _refused(samples: Sequence[SampleRecords]) -> mqc.Section:
    rows = {}
    for records in samples:
        for number, problem in enumerate(records.problems, start=1):
            name = records.sample if number == 1 else f"{records.sample} ({number})"
            rows[name] = {"step": records.failed_step} | {
                key: mqc.escape(value) for key, value in problem.as_dict().items() if key != "sample"
            }
    titles = {"step": "Step", "file": "File", "found": "Found", "expected": "Expected", "mend": "To mend"}
    headers = {key: {"title": title, "scale": False} for key, title in titles.items()}
    return mqc.table(
        "clearspot_refused", "Samples that were refused",
        "These samples were not processed. A row a problem, with what can be done about it.", rows, headers,
    )  # fmt: skip


def _warnings(samples: Sequence[SampleRecords]) -> mqc.Section:
    rows = {}
    for records in samples:
        said = [(step, message) for step, message in records.messages() if message.level == "warning"]
        for number, (step, message) in enumerate(said, start=1):
            name = records.sample if number == 1 else f"{records.sample} ({number})"
            rows[name] = {"step": step, "warning": mqc.escape(message.text)}
    headers = {"step": {"title": "Step", "scale": False}, "warning": {"title": "Warning", "scale": False}}
    return mqc.table("clearspot_warnings", "Warnings", "Reasons to look at a sample before trusting it.", rows, headers)


def _space_ranger(samples: Sequence[SampleRecords]) -> mqc.Section:
    stated = {records.sample: records.space_ranger for records in samples if records.space_ranger}
    names = list(dict.fromkeys(name for figures in stated.values() for name in figures if name != "Sample ID"))
    headers = {}
    for number, name in enumerate(names):
        numbers = [figures[name] for figures in stated.values() if isinstance(figures.get(name), (int, float))]
        form: Format = "text" if not numbers else "fraction" if max(numbers) <= 1 else "count"
        title = mqc.escape(name)
        headers[mqc.column_key(name)] = _column(title, title, form) | {"hidden": number >= _STATED_SHOWN}
    rows = {
        sample: {mqc.column_key(name): mqc.escape(value) for name, value in figures.items() if name in names}
        for sample, figures in stated.items()
    }
    return mqc.table(
        "clearspot_space_ranger", "Space Ranger's own figures",
        "From metrics_summary.csv, under 10x's own names; fractions are 0 to 1. More columns: Configure columns.",
        rows, headers,
    )  # fmt: skip


def _input(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "assay": ("Assay", "text"), "slide_type": ("Slide", "text"), "chemistry": ("Chemistry", "text"),
        "software_version": ("Space Ranger", "text"), "bin_size_um": ("Bin size (µm)", "number"),
        "n_in_tissue": ("Spots under tissue", "count"), "n_genes_detected": ("Genes detected", "count"),
        "total_umi": ("UMI counts", "count"), "median_umi_per_spot": ("Median UMI counts per spot", "count"),
        "median_genes_per_spot": ("Median genes per spot", "count"), "microns_per_pixel": ("µm per pixel", "number"),
    }  # fmt: skip
    return _metrics_table(
        samples, "ingest", columns, "clearspot_input", "Input", "What each sample is, and how much was counted."
    )


def _graph(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "n_spots": ("Spots", "count"), "median_degree": ("Neighbours (median)", "number"),
        "n_isolates": ("Without a neighbour", "count"), "n_components": ("Connected pieces", "count"),
        "largest_component_share": ("Share in the largest piece", "fraction"), "lattice": ("Lattice", "text"),
        "radius_um": ("Radius (µm)", "number"),
    }  # fmt: skip
    return _metrics_table(samples, "graph", columns, "clearspot_graph", "Spatial graph", "Which spots are neighbours.")


def _metrics_table(
    samples: Sequence[SampleRecords],
    step: str,
    columns: dict[str, tuple[str, Format]],
    section_id: str,
    name: str,
    description: str,
) -> mqc.Section:
    rows = {}
    for records in samples:
        row = {key: mqc.escape(records.metric(step, key)) for key in columns}
        known = {key: value for key, value in row.items() if value is not None}
        if known:
            rows[records.sample] = known
    headers = {key: _column(title, title, form) for key, (title, form) in columns.items()}
    return mqc.table(section_id, name, description, rows, headers)


def _filters(samples: Sequence[SampleRecords]) -> mqc.Section:
    rows: dict[str, dict[str, float]] = {}
    names: list[str] = []
    for records in samples:
        table = records.table("qc", "filters")
        if not table:
            continue
        removed = dict(zip(table["filter"], table["removed_in_sequence"], strict=True))
        measured = {name: number for name, number in removed.items() if number is not None}
        names += [name for name in measured if name not in names]
        rows[records.sample] = {"kept": records.metric("qc", "n_spots_pass"), **measured}
    categories = {"kept": {"name": "kept", "color": NEUTRAL}} | {
        name: {"name": f"removed: {name}", "color": QUALITATIVE[(5 + number) % len(QUALITATIVE)]}
        for number, name in enumerate(names)
    }
    return mqc.bars(
        "clearspot_filters", "Filters", "Spots that each filter removes, after the filters before it.",
        rows, categories, y="spots",
    )  # fmt: skip


def _denoising(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "n_genes_modelled": ("Genes modelled", "count"), "epochs": ("Epochs", "count"),
        "loss_best": ("Best loss", "score"), "heldout_deviance_dusted": ("Held-out deviance, DUSTED", "score"),
        "heldout_deviance_neighbours": ("Held-out deviance, neighbour averaging", "score"),
        "heldout_deviance_constant": ("Held-out deviance, gene's average", "score"),
        "heldout_correlation_dusted": ("Held-out correlation, DUSTED", "score"),
        "heldout_correlation_neighbours": ("Held-out correlation, neighbour averaging", "score"),
        "seconds_training": ("Training time (s)", "count"), "device": ("Device", "text"),
    }  # fmt: skip
    return _metrics_table(
        samples, "dusted", columns, "clearspot_denoising", "Denoising",
        "Prediction of counts that were held out of training, beside plain averages: of deviance the lowest is best.",
    )  # fmt: skip


def _loss(samples: Sequence[SampleRecords]) -> mqc.Section:
    series = {}
    for records in samples:
        table = records.table("dusted", "training")
        if table:
            series[records.sample] = _thinned(table["epoch"], table["loss"])
    return mqc.lines(
        "clearspot_loss", "Training of the denoiser", "Loss by epoch: it should fall and flatten.",
        series, x="epoch", y="negative log-likelihood",
    )  # fmt: skip


def _thinned(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    step = max(1, len(x) // _MOST_POINTS)
    kept = sorted({*range(0, len(x), step), len(x) - 1})
    return [(x[row], y[row]) for row in kept if y[row] is not None]


def _domain_sizes(samples: Sequence[SampleRecords]) -> mqc.Section:
    rows = {}
    for records in samples:
        table = records.table("domains", f"sizes_{records.metric('domains', 'main')}")
        if table:
            rows[records.sample] = dict(zip(map(str, table["domain"]), table["n_spots"], strict=True))
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    names.sort(key=lambda name: (len(name), name))
    categories = {
        name: {"name": f"domain {name}", "color": QUALITATIVE[number % len(QUALITATIVE)]}
        for number, name in enumerate(names[:_DOMAIN_LIMIT])
    }
    return mqc.bars(
        "clearspot_domains", "Sizes of the spatial domains",
        "Domains are numbered from the largest in each sample; the same number in two samples means nothing.",
        rows, categories, y="spots",
    )  # fmt: skip


def _moran(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "moran_median_measured": ("Measured", "number"),
        "moran_median_denoised": ("Denoised", "number"),
        "moran_median_neighbour_mean": ("Neighbour mean", "number"),
        "moran_median_neighbour_mean_shuffled": ("Neighbour mean, spots shuffled", "number"),
    }
    return _metrics_table(
        samples, "domains", columns, "clearspot_moran", "Moran's I",
        "Median over the genes tested. Smoothing raises it whatever is smoothed: the last column, where nothing is "
        "left to find, shows how far smoothing alone goes.",
    )  # fmt: skip


def _superres(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "bin_um": ("Side of a bin (µm)", "number"), "spot_pitch_um": ("Spots apart (µm)", "number"),
        "n_genes": ("Genes", "count"), "n_bins_on_tissue": ("Bins on tissue", "count"),
        "share_measured": ("Of them under a spot", "fraction"), "samples": ("Draws", "count"),
        "mean_is": ("The mean is of", "text"), "image_coverage": ("Covered by the image", "fraction"),
        "seconds_total": ("Time to draw (s)", "count"),
    }  # fmt: skip
    return _metrics_table(
        samples, "superres", columns, "clearspot_superres", "Super-resolution",
        "Predicted, not measured. What was predicted for places smaller than a spot; samples without a full-resolution "
        "image are not here, and their own reports say why.",
    )  # fmt: skip


def _superres_scores(samples: Sequence[SampleRecords]) -> mqc.Section:
    columns: dict[str, tuple[str, Format]] = {
        "heldout_n_spots": ("Held-out spots", "count"),
        "heldout_correlation_mean": ("Correlation, MeanNet", "score"),
        "heldout_correlation_diffusion": ("Correlation, diffusion", "score"),
        "heldout_crps_mean": ("CRPS, MeanNet", "score"),
        "heldout_crps_spread": ("CRPS, diffusion around MeanNet", "score"),
        "heldout_crps_diffusion": ("CRPS, diffusion", "score"),
        "heldout_coverage": ("Covered by the 90 % interval", "fraction"),
    }
    return _metrics_table(
        samples, "superres", columns, "clearspot_superres_scores", "Super-resolution: agreement with held-out spots",
        "Spots that training never saw. Of CRPS (in square-root counts) the lowest is best; a 90 % interval that is "
        "honest covers about 0.9.",
    )  # fmt: skip


def refused_words(samples: Sequence[SampleRecords]) -> str:
    """Return a sentence on how many samples were refused, for the top of the report."""
    refused = [records.sample for records in samples if records.failed_step]
    number = f"{show(len(samples), 'count')} sample{'' if len(samples) == 1 else 's'}"
    return f"{number}, {len(refused)} refused: {', '.join(refused)}." if refused else f"{number}, none refused."
