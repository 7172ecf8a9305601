"""What a section of a page is made of; the template has one macro for each kind."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from clearspot.errors import Problem

if TYPE_CHECKING:
    from clearspot.report.gene_pack import PackedGenes  # which needs Spec

Light = Literal["good", "look", "bad", "unknown", "info"]
"""Traffic light: fine, look before trusting, not usable, not measured; ``info``: no judgement, something to know."""

Spec = dict[str, Any]
"""A chart as plotly reads it (``data``, ``layout``); arrays may be references into the page's store."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked, or that says what is missing and why."""

    kind: ClassVar[str] = "notice"
    text: str
    light: Light = "info"


@dataclass(frozen=True)
class KeyNumber:
    """One figure with its name and where it comes from."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class KeyNumbers:
    """Figures side by side."""

    kind: ClassVar[str] = "keynumbers"
    items: Sequence[KeyNumber]


@dataclass(frozen=True)
class Table:
    """A table; cells are shown as given. Columns named in ``numeric`` are set flush right."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Genes]]
    numeric: frozenset[int] = frozenset()
    folded: bool = False


@dataclass(frozen=True)
class Chart:
    """One plotly chart.

    Parameters
    ----------
    id
        Unique on the page.
    title, caption
        What is shown, and how to read it.
    spec
        ``data`` and ``layout``.
    ratio
        Width over height.
    wide
        Whether it needs the width of a screen: on a narrow one it is scrolled.
    """

    kind: ClassVar[str] = "chart"
    id: str
    title: str
    caption: str
    spec: Spec
    ratio: float = 1.6
    wide: bool = False


@dataclass(frozen=True)
class Row:
    """Blocks side by side where the screen is wide enough."""

    kind: ClassVar[str] = "row"
    blocks: Sequence[Chart]


@dataclass(frozen=True)
class Swipe:
    """Two maps of the same extent: side by side, or overlaid with a movable boundary.

    Parameters
    ----------
    id
        Of the control.
    left, right
        What is seen on either side of the edge.
    """

    kind: ClassVar[str] = "swipe"
    id: str
    left: Chart
    right: Chart

    @property
    def blocks(self) -> Sequence[Chart]:
        """Both maps."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Columns:
    """Two stacks of blocks side by side where the screen is wide enough."""

    kind: ClassVar[str] = "columns"
    left: Sequence[Block]
    right: Sequence[Block]


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until their heading is opened."""

    kind: ClassVar[str] = "details"
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Underlay:
    """A checkbox that shows the tissue image under all maps of its section."""

    kind: ClassVar[str] = "underlay"
    id: str
    label: str


@dataclass(frozen=True)
class Picker:
    """A choice of genes that drives several charts.

    Parameters
    ----------
    id, label
        Of the control.
    groups
        ``(heading, genes)``.
    charts
        Ids of the charts; ``$gene`` in their references stands for the chosen gene.
    axes
        Gene -> colour axis settings, the same for all charts; or ``chart:gene`` for one chart of its own.
    """

    kind: ClassVar[str] = "picker"
    id: str
    label: str
    groups: Sequence[tuple[str, Sequence[str]]]
    charts: Sequence[str]
    axes: dict[str, Spec]


@dataclass(frozen=True)
class GeneSearch:
    """A box in which a gene of the page's packed genes is typed or chosen; it drives several charts.

    Parameters
    ----------
    id, label
        Of the control.
    groups
        ``(heading, genes)`` that are offered before anything is typed; the first gene is drawn first.
    charts
        Ids of the charts; ``$gene`` in their references stands for the chosen gene.
    genes
        The packed genes.
    """

    kind: ClassVar[str] = "genesearch"
    id: str
    label: str
    groups: Sequence[tuple[str, Sequence[str]]]
    charts: Sequence[str]
    genes: PackedGenes

    @property
    def first(self) -> str:
        """Gene that is drawn first."""
        return self.groups[0][1][0]


@dataclass(frozen=True)
class Genes:
    """Cell of a table: genes, each a link to its maps where the page has them."""

    names: Sequence[str]


@dataclass(frozen=True)
class Finding:
    """One traffic light with its reason.

    Parameters
    ----------
    title
        What was looked at.
    value
        What was found, with its unit; may be empty.
    text
        What it means, and what to do where it is not good.
    reason
        What is wrong, with its figures, as part of a sentence; empty where nothing is.
    topic
        Findings of one topic have the same cause: a verdict names it once.
    """

    light: Light
    title: str
    value: str
    text: str
    reason: str = ""
    topic: str = ""


@dataclass(frozen=True)
class Lights:
    """Traffic lights with their reasons."""

    kind: ClassVar[str] = "lights"
    findings: Sequence[Finding]

    @property
    def passed(self) -> list[Finding]:
        """The green ones, which the page folds."""
        return [finding for finding in self.findings if finding.light == "good"]

    @property
    def others(self) -> list[Finding]:
        """All others, in their order."""
        return [finding for finding in self.findings if finding.light != "good"]


@dataclass(frozen=True)
class Problems:
    """Why an input was refused."""

    kind: ClassVar[str] = "problems"
    problems: Sequence[Problem]


Block = (
    Text
    | Notice
    | KeyNumbers
    | Lights
    | Problems
    | Table
    | Chart
    | Row
    | Swipe
    | Columns
    | Picker
    | GeneSearch
    | Details
    | Underlay
)


@dataclass
class ReportSection:
    """A tab of the page."""

    id: str
    title: str
    blocks: list[Block] = field(default_factory=list)

    def charts(self) -> list[Chart]:
        """Return every chart of the section, those in rows included."""
        return _charts(self.blocks)


def _charts(blocks: Sequence[Block]) -> list[Chart]:
    found: list[Chart] = []
    for block in blocks:
        if isinstance(block, Chart):
            found.append(block)
        elif isinstance(block, (Row, Swipe)):
            found.extend(block.blocks)
        elif isinstance(block, Columns):
            found.extend(_charts([*block.left, *block.right]))
        elif isinstance(block, Details):
            found.extend(_charts(block.blocks))
    return found


def plot_text(text: str) -> str:
    """Escape text for plotly, which reads a subset of HTML in titles, legends and hover labels."""
    return html.escape(str(text), quote=False).replace("%{", "%&#123;")
