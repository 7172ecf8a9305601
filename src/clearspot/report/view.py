"""What every section of a sample's page draws from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from clearspot import keys
from clearspot.report.canvas import Canvas
from clearspot.report.canvas_kinds import make_canvas
from clearspot.report.data import SampleData
from clearspot.report.metrics import SampleRecords
from clearspot.report.picture import Picture, tissue_picture
from clearspot.report.store import Store


@dataclass
class SampleView:
    """A sample's records, and its data where it was processed.

    Parameters
    ----------
    records
        What the steps recorded.
    data
        The ``.h5ad``; ``None`` for a sample that was refused.
    superres
        File of super-resolved expression, if there is one.
    store
        Arrays of the page.
    canvas
        Draws maps; ``None`` without data.
    picture
        Tissue image, if there is one that can be shown.
    picture_note
        What is shown, or why nothing is.
    """

    records: SampleRecords
    data: SampleData | None = None
    superres: Path | None = None
    store: Store = field(default_factory=Store)
    canvas: Canvas | None = None
    picture: Picture | None = None
    picture_note: str = "The sample was not processed, so there are no maps."

    @classmethod
    def of(cls, records: SampleRecords, data: SampleData | None, superres: Path | None = None) -> SampleView:
        """Prepare drawing for a sample."""
        if data is None:
            return cls(records)
        store = Store()
        picture, note = tissue_picture(data)
        um_per_px = records.metric("ingest", "microns_per_pixel") or data.provenance.get(keys.MICRONS_PER_PIXEL)
        canvas = make_canvas(
            store,
            data.xy,
            list(data.obs.index.astype(str)),
            spot_diameter=_spot_diameter(records, data, um_per_px),
            um_per_px=None if um_per_px is None else float(um_per_px),
            word=records.spot_word,
            outlines=data.outlines("cells"),
        )
        return cls(records, data, superres, store, canvas, picture, note)


def _spot_diameter(records: SampleRecords, data: SampleData, um_per_px: float | None) -> float:
    """In full-resolution pixels: as stated, else from the bin's size, else from what fits between neighbours."""
    if records.bin_um is not None and um_per_px:
        return records.bin_um / float(um_per_px)
    stated = data.scalefactors.get("spot_diameter_fullres")
    if stated:
        return float(stated)
    pitch = records.metric("graph", "pitch_px")
    return 0.6 * float(pitch) if pitch else float(max(data.xy.max(axis=0) - data.xy.min(axis=0))) / 100
