"""Integration and differences of a study: mixing before and after, composition and genes between conditions."""

from __future__ import annotations

from typing import Final

from clearspot.display.format import NOT_MEASURED, domain_name, show
from clearspot.report.blocks import Block, Chart, Genes, Notice, ReportSection, Row, Table, Text
from clearspot.report.section_study import STEP, numbers
from clearspot.report.study_view import StudyView

MOST_GENES: Final = 200
"""Rows of the table of genes; the CSV file has all."""

_MEASURES: Final = {
    "Mixing (1: as by chance)": ("mixing_before", "mixing_after"),
    "Silhouette (0: mixed)": ("batch_silhouette_before", "batch_silhouette_after"),
}


def study_integration(view: StudyView) -> ReportSection:
    """Build the tab of the integration."""
    section = ReportSection("integration", "Integration")
    section.blocks.append(
        numbers(
            view,
            (
                "integration", "batch_corrected", "mixing_before", "mixing_after", "heldout_explained_dusted",
                "heldout_explained_neighbours", "epochs",
            ),
        )
    )  # fmt: skip
    data = [
        {
            "type": "bar", "name": f"{when} integration", "x": list(_MEASURES),
            "y": [view.records.metric(STEP, names[number]) for names in _MEASURES.values()],
            "hovertemplate": "%{x}: %{y:.3f}<extra></extra>", "marker": {"color": colour},
        }
        for number, (when, colour) in enumerate({"before": "#8A96A3", "after": "#0072B2"}.items())
    ]  # fmt: skip
    layout = {"barmode": "group", "xaxis": {"type": "category"}, "showlegend": True}
    caption = (
        "Of batches, or of sections where there is one batch. Batches that hold different tissues are not expected to "
        "mix as by chance. Before: principal components of normalised counts."
    )
    section.blocks.append(Row([Chart("mixing", "Mixing", caption, {"data": data, "layout": layout}, 1.9)]))
    section.blocks += _factors(view)
    return section


def study_differences(view: StudyView) -> ReportSection:
    """Build the tab of the differences between conditions."""
    section = ReportSection("differences", "Differences")
    if not view.records.metric(STEP, "compared"):
        said = [one.text for one in view.records.steps[STEP].messages if one.text.startswith("Conditions were not")]
        section.blocks += [Notice(text, "look") for text in said]
        return section
    names = ("n_domains_changed", "n_genes_changed", "n_genes_compared", "n_domains_compared", "comparison_paired")
    section.blocks.append(numbers(view, names))
    section.blocks.append(
        Text(
            "Donors are the replicates. Counts are summed by donor and domain before genes are compared, so that "
            f"{view.word}s and sections of one donor are not counted as independent."
        )
    )
    section.blocks += _shares(view) + _genes(view)
    return section


def _factors(view: StudyView) -> list[Block]:
    table = view.records.table(STEP, "batch_factors")
    if not table:
        return []
    sections = [name for name in table if name != "gene"]
    rows: list[tuple[str | Genes, ...]] = [
        (Genes([gene]), *(f"{table[name][row]:.2f}" for name in sections)) for row, gene in enumerate(table["gene"])
    ]
    caption = "Genes with the largest batch effects: what each section multiplies the rate by (1: none)"
    return [Table(caption, ("Gene", *sections), rows, numeric=frozenset(range(1, 1 + len(sections))), folded=True)]


def _shares(view: StudyView) -> list[Block]:
    table = view.records.table(STEP, "composition_tests")
    columns = (
        "domain", "condition", "reference", "fraction", "fraction_reference", "odds_ratio", "odds_ratio_low",
        "odds_ratio_high", "p_value", "p_adjusted",
    )  # fmt: skip
    rows = [
        (
            domain_name(domain), f"{condition} / {reference}", show(own, "fraction"), show(other, "fraction"),
            f"{ratio:.2f}", NOT_MEASURED if low is None else f"{low:.2f} to {high:.2f}", _p(p_value), _p(adjusted),
        )
        for domain, condition, reference, own, other, ratio, low, high, p_value, adjusted in zip(
            *(table[name] for name in columns), strict=True
        )
    ]  # fmt: skip
    titles = ("Domain", "Conditions", "Share", "Share, reference", "Odds ratio", "95 % interval", "p", "Adjusted p")
    caption = (
        "Share of each domain between conditions (mean over donors; t-test of the log odds). Shares add up to 100 %, "
        "so that one domain can only grow at the expense of others."
    )
    return [Table(caption, titles, rows, numeric=frozenset(range(2, 8)))]


def _genes(view: StudyView) -> list[Block]:
    table = view.records.table(STEP, "differences")
    if not table:
        return [Notice(f"No domain has enough {view.word}s in enough donors to compare genes.")]
    columns = (
        "domain",
        "condition",
        "reference",
        "gene",
        "log2_fold_change",
        "standard_error",
        "p_value",
        "p_adjusted",
    )
    rows = [
        (
            domain_name(domain), f"{condition} / {reference}", Genes([gene]), show(change), show(error), _p(p_value),
            _p(adjusted),
        )
        for domain, condition, reference, gene, change, error, p_value, adjusted in zip(
            *(table[name][:MOST_GENES] for name in columns), strict=True
        )
    ]  # fmt: skip
    titles = ("Domain", "Conditions", "Gene", "log2 fold change", "Standard error", "p", "Adjusted p")
    caption = (
        f"Genes with the smallest p-values (at most {MOST_GENES}; the CSV file has all). DESeq2 on sums of counts by "
        "donor"
    )
    return [Table(caption, titles, rows, numeric=frozenset(range(3, 7)))]


def _p(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2g}"
