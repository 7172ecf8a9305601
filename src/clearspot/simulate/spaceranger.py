"""Write a phantom as Space Ranger would: a whole ``outs`` folder, the full-resolution image and the truth beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from anndata import AnnData

from clearspot.simulate.arrays import CHEMISTRIES, Chemistry, SpotArray, hd_array
from clearspot.simulate.capture import Assay, default_assay
from clearspot.simulate.faults import Fault, Faults
from clearspot.simulate.genes import Panel
from clearspot.simulate.histology import Frame, Renderer
from clearspot.simulate.measure import COUNTED_UM, Measurement, measure
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.pictures import canvas, shrink, write_pyramid
from clearspot.simulate.segmented import write_segmented
from clearspot.simulate.tenx import Origin
from clearspot.simulate.truth import bin_truth, cell_truth, field_bins, spot_truth, write_truth
from clearspot.simulate.variants import PROBE_SET, add_antibodies, add_second_genome, probe_panel
from clearspot.simulate.visium_files import Pictures, write_cells_spatial, write_hd, write_visium

_CHEMISTRY_NAMES: Final = {"v1": "Spatial 3' v1", "v2": "Visium V4 Slide", "hd": "Visium HD v1"}
_SOFTWARE: Final = {"v1": "spaceranger-1.3.0", "v2": "spaceranger-2.1.0", "hd": "spaceranger-3.1.3"}
_SOFTWARE_OF_CELLS: Final = "spaceranger-4.0.1"
_HIRES_PX: Final = {"v1": 2000, "v2": 2000, "hd": 6000}
_LOWRES_PX: Final = 600
_MARGIN_UM: Final = {"v1": 350.0, "v2": 350.0, "hd": 60.0}


@dataclass(frozen=True)
class SampleFiles:
    """Where the parts of a written sample lie; ``image`` is None if no image was requested."""

    sample: str
    chemistry: Chemistry
    outs: Path
    truth: Path
    image: Path | None


def write_outs(
    phantom: Phantom,
    outdir: Path | str,
    *,
    chemistry: Chemistry = "v1",
    sample: str = "phantom",
    um_per_px: float = 2.0,
    image: bool = True,
    assay: Assay | None = None,
    low_quality: bool = False,
    ffpe: bool | None = None,
    antibodies: bool = False,
    second_genome: bool = False,
    bin_sizes: Sequence[int] = (2, 8, 16),
    truth_bins: Sequence[int] = (8,),
    mex: bool = True,
    cells: bool = False,
    faults: Sequence[Fault] = (),
) -> SampleFiles:
    """Measure a phantom and write ``outdir/outs``, ``outdir/image.tif`` and ``outdir/truth``.

    Parameters
    ----------
    phantom
        What is measured.
    outdir
        Folder of the sample; made if absent.
    chemistry
        ``v1`` (78 x 128 spots, Space Ranger 1), ``v2`` (CytAssist with probes, Space Ranger 2) or ``hd`` (Visium HD,
        Space Ranger 3; the phantom's field must be whole 16 µm bins).
    sample
        Library id in the files.
    um_per_px
        Edge of a pixel of the full-resolution image, whether or not that is written.
    image
        Write the full-resolution image. Without it the small pictures are rendered directly.
    assay
        How well the measurement works; by default typical of the chemistry.
    low_quality
        A failed sample: few counts, much soup. Only without ``assay``.
    ffpe
        Probes: no mitochondrial and ribosomal genes. Default: true for ``v2`` and ``hd``.
    antibodies, second_genome
        Antibody features beside the genes; a xenograft with mouse stroma.
    bin_sizes
        Visium HD: bins to write, of 2, 8 and 16 µm; 8 must be among them.
    truth_bins
        Sizes (µm) of the bins for which the truth is written.
    mex
        Write the matrices as text too; of a whole Visium HD section that takes longer than all the rest.
    cells
        Visium HD with bins of 2 µm: write segmented cells too, as Space Ranger 4 does.
    faults
        What goes wrong with the slide, each kind at most once; the truth says what was done.

    Returns
    -------
    Where everything lies.

    Raises
    ------
    ValueError
        If the phantom does not fit on the slide, or an option does not fit the others.
    """
    if low_quality and assay is not None:
        raise ValueError("low_quality sets the assay; pass only one of the two")
    if chemistry == "hd" and not {COUNTED_UM} <= set(bin_sizes) <= {2, 8, 16}:
        raise ValueError(f"Visium HD bin sizes must be 2, 8 or 16 µm and include 8, not {list(bin_sizes)}")
    if cells and (chemistry != "hd" or 2 not in bin_sizes):
        raise ValueError("segmented cells are sums of the 2 µm bins of Visium HD")
    outdir = Path(outdir)
    outs = outdir / "outs"
    seed_panel, seed_counts = np.random.SeedSequence([phantom.seed, CHEMISTRIES.index(chemistry) + 1]).spawn(2)
    if phantom.panel_seed is not None:  # sections of one study are measured with the same probes
        seed_panel = np.random.SeedSequence([phantom.panel_seed, CHEMISTRIES.index(chemistry) + 1]).spawn(2)[0]
    probes = chemistry != "v1" if ffpe is None else ffpe
    panel = _panel(phantom.panel, np.random.default_rng(seed_panel), probes, antibodies, second_genome)
    assay = assay or default_assay(chemistry, len(phantom.panel.var), low_quality=low_quality)
    spoilt = Faults(faults, phantom.seed)
    measured = measure(phantom, chemistry, panel, assay, seed_counts, bin_sizes, spoilt)

    outs.mkdir(parents=True, exist_ok=True)
    frame = _frame(phantom, measured.array, _MARGIN_UM[chemistry], um_per_px)
    image_path = outdir / "image.tif" if image else None
    pictures = _pictures(phantom, frame, _HIRES_PX[chemistry], image_path, outdir, spoilt)
    software = _SOFTWARE_OF_CELLS if cells else _SOFTWARE[chemistry]
    origin = Origin(sample, _CHEMISTRY_NAMES[chemistry], software, PROBE_SET if probes else None)
    stated = {
        size: replace(level, array=spoilt.move(level.array, measured.array)) for size, level in measured.levels.items()
    }
    if chemistry == "hd":
        write_hd(outs, stated, frame, pictures, origin, mex=mex, edit_metrics=spoilt.spoil_metrics)
        if cells:
            write_segmented(outs, phantom, measured.levels[2], frame, origin)
            write_cells_spatial(outs / "segmented_outputs" / "spatial", frame, pictures)
    else:
        write_visium(outs, stated[0], frame, pictures, origin, chemistry, mex=mex, edit_metrics=spoilt.spoil_metrics)
    tables = _truth_tables(phantom, chemistry, measured, panel, frame, truth_bins)
    write_truth(outdir / "truth", tables, phantom, spoilt)
    return SampleFiles(sample, chemistry, outs, outdir / "truth", image_path)


def _panel(panel: Panel, rng: np.random.Generator, probes: bool, antibodies: bool, second_genome: bool) -> Panel:
    if probes:
        panel = probe_panel(rng, panel)
    if second_genome:
        panel = add_second_genome(panel)
    return add_antibodies(panel) if antibodies else panel


def _frame(phantom: Phantom, array: SpotArray, margin_um: float, um_per_px: float) -> Frame:
    """The picture: all spots and the whole field, with a margin."""
    low_x, high_x = min(array.x_um.min(), 0.0) - margin_um, max(array.x_um.max(), phantom.width_um) + margin_um
    low_y, high_y = min(array.y_um.min(), 0.0) - margin_um, max(array.y_um.max(), phantom.height_um) + margin_um
    shape = (int(np.ceil((high_y - low_y) / um_per_px)), int(np.ceil((high_x - low_x) / um_per_px)))
    return Frame(float(low_x), float(low_y), um_per_px, shape)


def _pictures(
    phantom: Phantom, frame: Frame, hires_px: int, image: Path | None, scratch: Path, faults: Faults
) -> Pictures:
    """Render the section; write the full-resolution image if it is wanted, and shrink it."""
    drawn = frame
    if image is None:
        # Nobody sees more than the hires picture: render no finer than that.
        coarser = max(max(frame.shape) / hires_px, 1.0)
        size = (max(round(frame.shape[0] / coarser), 1), max(round(frame.shape[1] / coarser), 1))
        drawn = Frame(frame.x0_um, frame.y0_um, frame.um_per_px * coarser, size)
    with canvas(drawn.shape, scratch) as picture:
        Renderer(phantom, drawn).paint(picture)
        faults.spoil_picture(picture, drawn.um_per_px)
        if image is not None:
            write_pyramid(picture, image, frame.um_per_px, phantom.staining.jpeg_quality)
        hires, hires_scale = shrink(picture, hires_px)
        lowres, lowres_scale = shrink(picture, _LOWRES_PX)
    ratio = frame.um_per_px / drawn.um_per_px
    return Pictures(hires, hires_scale * ratio, lowres, lowres_scale * ratio)


def _truth_tables(
    phantom: Phantom,
    chemistry: Chemistry,
    measured: Measurement,
    panel: Panel,
    frame: Frame,
    truth_bins: Sequence[int],
) -> dict[str, AnnData]:
    tables = {"truth_cells": cell_truth(phantom, measured.capture, panel, frame)}
    if chemistry != "hd":
        tables["truth_spots"] = spot_truth(measured.array, measured.capture, panel, frame)
    for size in truth_bins:
        bins = hd_array(size, phantom.width_um, phantom.height_um) if chemistry == "hd" else field_bins(phantom, size)
        tables[f"truth_bins_{size:03d}um"] = bin_truth(phantom, bins, measured.capture, panel, frame)
    return tables
