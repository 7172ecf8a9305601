"""Overview and domains of a study: sections, their maps in one colour scheme, composition, markers."""

from __future__ import annotations

from collections.abc import Sequence

from clearspot import keys
from clearspot.display.format import NOT_MEASURED, domain_name, show
from clearspot.display.palette import colours
from clearspot.report.blocks import Block, Chart, Genes, KeyNumbers, ReportSection, Row, Table, Text
from clearspot.report.canvas_kinds import RasterCanvas
from clearspot.report.map_parts import colour_axis
from clearspot.report.marker_dots import marker_dots
from clearspot.report.step_blocks import key_number, notices
from clearspot.report.study_view import StudyView

STEP = "study"


def study_overview(view: StudyView) -> ReportSection:
    """Build the overview: how many, what was corrected, what to know."""
    section = ReportSection("overview", "Overview")
    section.blocks.append(
        numbers(view, ("n_sections", "n_donors", "n_conditions", "n_batches", "n_spots", "n_domains"))
    )
    section.blocks += notices(view.records, STEP)
    section.blocks.append(_sections_table(view))
    return section


def _sections_table(view: StudyView) -> Table:
    """A row a section; what the samplesheet states of none of them has no column."""
    table = view.records.table(STEP, "sections")
    shown = {name: title for name, title in _SECTION_COLUMNS.items() if any(v is not None for v in table[name])}
    cells = []
    for name in shown:
        texts = [show(value, "count") if name in _COUNTED else show(value) for value in table[name]]
        cells.append(["" if text == NOT_MEASURED else text for text in texts])
    counted = frozenset(at for at, name in enumerate(shown) if name in _COUNTED)
    titles = tuple(title.format(f"{view.word}s".capitalize(), view.word) for title in shown.values())
    return Table("Sections", titles, list(zip(*cells, strict=True)), numeric=counted)


_SECTION_COLUMNS = {
    "section": "Section", "batch": "Batch", "donor": "Donor", "condition": "Condition", "n_spots": "{0}",
    "median_counts": "Median counts per {1}",
}  # fmt: skip
_COUNTED = ("n_spots", "median_counts")


def study_domains(view: StudyView) -> ReportSection:
    """Build the tab of shared domains."""
    section = ReportSection("domains", "Shared domains")
    labels = view.data.obs[keys.DOMAIN_STUDY].astype("string").map(domain_name, na_action="ignore")
    names = sorted(labels.dropna().unique().tolist())
    shades = colours(names)
    section.blocks.append(
        numbers(
            view, ("n_domains", "n_domains_of_one_section", "assignment_probability_median", "fraction_assigned_surely")
        )
    )
    maps = view.canvas.classes(
        "map-domain_study", labels, shades, "Shared domains of all sections",
        "Numbered by decreasing size over all sections; the same colour is the same domain everywhere. Click a name in "
        "the legend to hide or show a domain.",
    )  # fmt: skip
    view.canvas.keep("probability", view.data.obs[keys.DOMAIN_STUDY_PROBABILITY].to_numpy(dtype=float))
    sure = view.canvas.numeric(
        "map-probability", "probability", "Probability of the assignment",
        f"Posterior probability of each {view.word}'s domain. Low between domains that pass into each other.",
        colour_axis(0.0, 1.0, "probability"), unit="probability",
    )  # fmt: skip
    section.blocks += [view.named(maps), view.named(sure)]
    if isinstance(view.canvas, RasterCanvas):
        title = f"Every {view.word}: shared domains"
        every = view.canvas.every_spot("map-every", labels, shades, title, view.canvas.said_finely)
        section.blocks.append(view.named(every))
    if view.canvas.said:
        section.blocks.append(Text(view.canvas.said))
    section.blocks += _composition(view, shades)
    section.blocks += marker_dots(view.records.table(STEP, "marker_profile"), view.word)
    section.blocks += _markers(view)
    return section


def numbers(view: StudyView, names: Sequence[str]) -> KeyNumbers:
    """Key numbers of the study, those that were measured."""
    known = [name for name in names if view.records.metric(STEP, name) is not None]
    return KeyNumbers([key_number(view.records, STEP, name, word=view.word) for name in known])


def _composition(view: StudyView, shades: dict[str, str]) -> list[Block]:
    table = view.records.table(STEP, "composition")
    columns = [table[name] for name in ("section", "domain", "n_spots", "fraction", "probability")]
    rows = list(zip(*columns, strict=True))
    data, places = [], f"{view.word}s"
    for domain in dict.fromkeys(table["domain"]):
        own = [row for row in rows if row[1] == domain]
        hover = "%{x}: %{y:.1f} % (%{customdata:,} " + f"{places})<extra>{domain_name(domain)}</extra>"
        data.append(
            {
                "type": "bar", "name": domain_name(domain), "x": [row[0] for row in own],
                "y": [100 * row[3] for row in own], "marker": {"color": shades.get(domain_name(domain))},
                "customdata": [row[2] for row in own],
                "hovertemplate": hover,
            }
        )  # fmt: skip
    layout = {
        "barmode": "stack", "xaxis": {"type": "category"}, "showlegend": True,
        "yaxis": {"title": {"text": f"{places} (%)"}, "range": [0, 100]},
    }  # fmt: skip
    spec = {"data": data, "layout": layout}
    cells = [
        (section, domain_name(domain), show(n, "count"), show(share, "fraction"), show(sure, "fraction") if n else "")
        for section, domain, n, share, sure in rows
    ]
    titles = ("Section", "Domain", places.capitalize(), "Share", "Mean probability")
    return [
        Row([Chart("composition", "Composition", "Share of each domain, by section.", spec, 1.9)]),
        Table("Composition by section", titles, cells, numeric=frozenset({2, 3, 4}), folded=True),
    ]


def _markers(view: StudyView) -> list[Block]:
    table = view.records.table(STEP, "markers")
    if not table:
        return []
    names = ("domain", "gene", "log2_fold_change", "p_adjusted", "sections_higher", "sections_tested")
    rows = [
        (domain_name(domain), Genes([gene]), show(change), f"{p_value:.1e}", f"{higher} of {tested}")
        for domain, gene, change, p_value, higher, tested in zip(*(table[name] for name in names), strict=True)
    ]
    caption = (
        "Marker genes of the shared domains (Wilcoxon test over all sections), and the number of sections in which the "
        "mean is higher inside the domain than outside"
    )
    titles = ("Domain", "Gene", "log2 fold change", "Adjusted p", "Higher in sections")
    return [Table(caption, titles, rows, numeric=frozenset({2, 3, 4}), folded=True)]
