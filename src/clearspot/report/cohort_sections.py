"""The sections of the cohort report, from the records of all samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from clearspot.contract.metric import Kind, of_places
from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER
from clearspot.contract.steps import get_step
from clearspot.display.format import capitalised, show
from clearspot.display.palette import NEUTRAL, QUALITATIVE
from clearspot.report import mqc
from clearspot.report.cohort_studies import studies_table, study_label
from clearspot.report.cohort_tables import column, metrics_table
from clearspot.report.headings import HEADINGS
from clearspot.report.metrics import SampleRecords, all_places, common_place
from clearspot.report.rule import Rule
from clearspot.report.superres_outcome import optional_result
from clearspot.report.verdict import findings, verdict

_VERDICTS: Final = {"good": "usable", "look": "look first", "bad": "do not use", "unknown": "no verdict"}
_WITHOUT_RESULTS: Final = {"bad_input": "refused", "failed": "failed"}
"""Status of a sample without results -> what is shown in place of its verdict."""

_MOST_POINTS: Final = 200
"""Points of a loss curve that a plot of a hundred samples can bear."""

_DOMAIN_LIMIT: Final = 30


def general_section(samples: Sequence[SampleRecords], rules: Sequence[Rule]) -> mqc.CustomContent:
    """The verdict and its reason, then the figures that have a limit, in the table at the top."""
    headers: list[tuple[str, dict[str, Any]]] = [
        (
            "verdict",
            {
                "title": "Verdict",
                "description": "Verdict of the sample's report: usable, look first, or do not use",
                "scale": False,
                "cond_formatting_rules": {
                    "pass": [{"s_eq": "usable"}],
                    "warn": [{"s_eq": "look first"}],
                    "fail": [{"s_eq": words} for words in (_VERDICTS["bad"], *_WITHOUT_RESULTS.values())],
                },
            },
        ),
        (
            "reason",
            {"title": "Reason", "description": "Reason for the verdict, with values and limits", "scale": False},
        ),
    ]
    rows: dict[str, dict[str, Any]] = {}
    for records in samples:
        judged = verdict(records, findings(records, rules))
        words = _WITHOUT_RESULTS.get(records.status, _VERDICTS[judged.light])
        rows[records.sample] = {"verdict": words, "reason": mqc.escape(capitalised(judged.text))}
    for rule in rules:
        values = {records.sample: _judged(records, rule) for records in samples}
        if any(value is not None for value in values.values()):
            header = column(HEADINGS[rule.id], _tooltip(rule, samples), rule.kind) | mqc.limits(rule)
            headers.append((rule.id, header | {"hidden": len(headers) >= mqc.MOST_COLUMNS}))
            for sample, value in values.items():
                if value is not None:
                    rows[sample][rule.id] = value
    return mqc.general_statistics(rows, headers)


def cohort_sections(
    samples: Sequence[SampleRecords], studies: Sequence[SampleRecords], run: SampleRecords
) -> Iterator[mqc.CustomContent]:
    """Every section that at least one sample or study, or the run as a whole, has data for."""
    whose = [(records.sample, records) for records in samples] + [("all samples", run)]
    whose += [(study_label(records.sample), records) for records in studies]
    for built in (
        _refused(samples), _left_out(whose), _warnings(whose), studies_table(studies),
        *(section(samples) for section in (
            _input, _space_ranger, _filters, _graph, _denoising, _loss, _domain_sizes, _moran, _superres,
            _superres_scores,
        )),
        _references(run),
    ):  # fmt: skip
        if built["data"]:
            yield built


def _judged(records: SampleRecords, rule: Rule) -> Any:
    value = records.metric(rule.step, rule.metric) if rule.applies(records) else None
    if isinstance(value, bool):
        return show(value, rule.kind)
    return None if isinstance(value, str) else mqc.shown(value, rule.kind)


def _tooltip(rule: Rule, samples: Sequence[SampleRecords]) -> str:
    """What a column holds, and its limits."""
    held = [records for records in samples if rule.applies(records)]
    if rule.step == SPACE_RANGER:
        titles = {records.title(rule.declared) for records in held}
        what = f"Space Ranger: {titles.pop()}" if len(titles) == 1 else rule.declared.description
    else:
        what = of_places(rule.declared.description or rule.declared.title, common_place(held))
    by_word = {"Look first": rule.look, "Do not use": rule.bad}
    limits = [(word, limit) for word, limit in by_word.items() if limit is not None]
    said = [f"{word}: {rule.worse} {show(limit, rule.kind)}" for word, limit in limits if rule.kind != "flag"]
    return ". ".join([capitalised(what), *said])


_PROBLEM_TITLES: Final = {
    "step": "Step", "file": "File", "found": "Found", "expected": "Expected", "mend": "To fix",
}  # fmt: skip


def _problems_table(
    section_id: str, name: str, description: str, rows: Sequence[tuple[str, dict[str, str]]]
) -> mqc.CustomContent:
    """Table with a row a problem; ``rows``: sample and problem."""
    numbered: dict[str, dict[str, str]] = {}
    seen: dict[str, int] = {}
    for sample, problem in rows:
        seen[sample] = seen.get(sample, 0) + 1
        label = sample if seen[sample] == 1 else f"{sample} ({seen[sample]})"
        numbered[label] = {key: mqc.escape(problem[key]) for key in _PROBLEM_TITLES}
    headers = {key: {"title": title, "scale": False} for key, title in _PROBLEM_TITLES.items()}
    return mqc.table(section_id, name, description, numbered, headers)


def _refused(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    rows = [
        (records.sample, {"step": get_step(records.failed_step).title} | problem.as_dict())
        for records in samples
        if records.failed_step is not None
        for problem in records.problems
    ]
    return _problems_table(
        "clearspot_refused", "Samples without results",
        "Samples that were refused, or that failed in a task. One row per problem, with the fix.",
        rows,
    )  # fmt: skip


def _left_out(whose: Sequence[tuple[str, SampleRecords]]) -> mqc.CustomContent:
    rows = [
        (name, {"step": f"{get_step(step).title}: {_WITHOUT_RESULTS[record.status]}"} | problem.as_dict())
        for name, records in whose
        for step, record in records.lost.items()
        for problem in record.problems
    ]
    return _problems_table(
        "clearspot_left_out", "Optional steps without a result",
        "Samples and studies that were refused by an optional step, or failed in it. All their other results are "
        "available.",
        rows,
    )  # fmt: skip


def _warnings(whose: Sequence[tuple[str, SampleRecords]]) -> mqc.CustomContent:
    rows = {}
    for owner, records in whose:
        said = [(step, message) for step, message in records.messages() if message.level == "warning"]
        for number, (step, message) in enumerate(said, start=1):
            name = owner if number == 1 else f"{owner} ({number})"
            rows[name] = {"step": get_step(step).title, "warning": mqc.escape(message.text)}
    headers = {"step": {"title": "Step", "scale": False}, "warning": {"title": "Warning", "scale": False}}
    return mqc.table("clearspot_warnings", "Warnings", "Check these before use.", rows, headers)


def _space_ranger(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    stated = {records.sample: records.space_ranger for records in samples if records.space_ranger}
    names = list(dict.fromkeys(name for figures in stated.values() for name in figures if name != "Sample ID"))
    headers, kinds = {}, dict[str, Kind]()
    for name in names:
        numbers = [figures[name] for figures in stated.values() if isinstance(figures.get(name), (int, float))]
        kinds[name] = mqc.stated_kind(name, numbers)
        title = mqc.escape(name)
        headers[mqc.column_key(name)] = column(title, title, kinds[name])
    rows = {
        sample: {mqc.column_key(name): mqc.shown(figures[name], kinds[name]) for name in names if name in figures}
        for sample, figures in stated.items()
    }
    return mqc.table(
        "clearspot_space_ranger", "Space Ranger metrics",
        "From metrics_summary.csv, with the names used by 10x. More columns: Configure columns.",
        rows, headers,
    )  # fmt: skip


def _input(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "assay", "slide_type", "chemistry", "software_version", "bin_size_um", "n_in_tissue", "n_genes_detected",
        "total_umi", "median_umi_per_spot", "median_genes_per_spot", "microns_per_pixel",
    )  # fmt: skip
    return metrics_table(
        samples, "ingest", names, "clearspot_input", "Input", "Assay and count statistics of each sample."
    )


def _graph(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "n_spots", "median_degree", "n_isolates", "n_components", "largest_component_share", "lattice", "radius_um",
    )  # fmt: skip
    title = get_step("graph").title
    return metrics_table(samples, "graph", names, "clearspot_graph", title, f"Neighbours of the {all_places(samples)}.")


def _filters(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
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
        "clearspot_filters", "Filters",
        f"Number of {all_places(samples)} removed by each filter, after the filters before it.",
        rows, categories, y=all_places(samples),
    )  # fmt: skip


def _denoising(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "n_genes_modelled", "epochs", "loss_best", "heldout_deviance_dusted", "heldout_deviance_neighbours",
        "heldout_deviance_constant", "heldout_correlation_dusted", "heldout_correlation_neighbours",
        "seconds_training", "device",
    )  # fmt: skip
    return metrics_table(
        samples, "dusted", names, "clearspot_denoising", get_step("dusted").title,
        "Prediction of counts held out from training, compared with averages. Lower deviance is better.",
    )  # fmt: skip


def _loss(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    series = {}
    for records in samples:
        table = records.table("dusted", "training")
        if table:
            series[records.sample] = _thinned(table["epoch"], table["loss"])
    return mqc.lines(
        "clearspot_loss", "Training of the denoiser", "Loss by epoch. The curve should decrease and level off.",
        series, x="epoch", y="negative log-likelihood",
    )  # fmt: skip


def _thinned(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    step = max(1, len(x) // _MOST_POINTS)
    kept = sorted({*range(0, len(x), step), len(x) - 1})
    return [(x[row], y[row]) for row in kept if y[row] is not None]


def _domain_sizes(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
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
        "Domains are numbered by decreasing size in each sample. Numbers do not correspond between samples.",
        rows, categories, y=all_places(samples),
    )  # fmt: skip


def _moran(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "moran_median_measured", "moran_median_denoised", "moran_median_neighbour_mean",
        "moran_median_neighbour_mean_shuffled",
    )  # fmt: skip
    return metrics_table(
        samples, "domains", names, "clearspot_moran", "Moran's I",
        "Median over the genes tested. Smoothing alone raises Moran's I. The last column, from shuffled "
        f"{all_places(samples)} without spatial signal, shows by how much.",
    )  # fmt: skip


def _superres(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "bin_um", "spot_pitch_um", "n_genes", "n_bins_on_tissue", "share_measured", "samples", "mean_is",
        "gene_head_weight", "image_coverage", "seconds_total",
    )  # fmt: skip
    return metrics_table(
        samples, "superres", names, "clearspot_superres", get_step("superres").title,
        "Predicted, not measured. Expression at a resolution finer than the spots. Samples without super-resolution "
        "are not listed; their reports state why.",
    )  # fmt: skip


def _superres_scores(samples: Sequence[SampleRecords]) -> mqc.CustomContent:
    names = (
        "heldout_n_spots", "heldout_correlation_mean", "heldout_correlation_diffusion", "heldout_crps_mean",
        "heldout_crps_spread", "heldout_crps_diffusion", "heldout_coverage",
    )  # fmt: skip
    return metrics_table(
        samples, "superres", names, "clearspot_superres_scores", "Super-resolution: agreement with held-out spots",
        "Held-out spots are not used in training. Lower CRPS (square root of counts) is better. A well-calibrated 90 "
        "% interval covers about 90 %.",
    )  # fmt: skip


def _references(run: SampleRecords) -> mqc.CustomContent:
    table = run.table("superres_pretrain", "references")
    names = {
        "bins_on_tissue": column("Bins", "bins on tissue", "count"),
        "genes": column("Genes", "genes of the reference", "count"),
        "image": column("Image", "whether its histology image was used in training", "flag"),
        "pearson_model": column("Correlation", "correlation of the model with the bins of held-out blocks", "score"),
        "pearson_gene_head": column("Correlation of the gene head", "correlation of the gene head alone", "score"),
        "pearson_plain": column(
            "Correlation of the baseline", "correlation of the estimate without a network", "score"
        ),
    }
    rows = {}
    for number, reference in enumerate(table.get("reference", [])):
        row = {name: table[name][number] for name in names}
        row["image"] = show(row["image"], "flag")
        rows[mqc.escape(reference)] = {name: value for name, value in row.items() if value is not None}
    return mqc.table(
        "clearspot_references", "Super-resolution: references",
        "The training of every sample starts from one model trained on these references. Correlations are medians "
        "over genes on held-out blocks.",
        rows, names, first="Reference",
    )  # fmt: skip


def summary_words(samples: Sequence[SampleRecords], run: SampleRecords) -> str:
    """Return what the top of the report says of samples without results, and of those without an optional one."""
    number = f"{show(len(samples), 'count')} sample{'' if len(samples) == 1 else 's'}"
    parts = []
    for status, words in _WITHOUT_RESULTS.items():
        names = [records.sample for records in samples if records.status == status]
        if names:
            parts.append(f"{len(names)} {words}: {', '.join(names)}")
    lost: dict[str, list[str]] = {}
    for records in samples:
        for what in dict.fromkeys(optional_result(step) for step in records.lost):
            lost.setdefault(what, []).append(records.sample)
    sentences = [f"Without {what}: {', '.join(names)} (reason below)." for what, names in lost.items()]
    if "superres_pretrain" in run.lost:
        sentences.append("Super-resolution was trained without references (reason below).")
    return " ".join([f"{number}, {'; '.join(parts) or 'none refused'}.", *sentences])
