"""Whole simulated cohorts: presets, several samples, their samplesheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Final, Literal

from clearspot.io.atomic import atomic_path
from clearspot.simulate.arrays import Chemistry
from clearspot.simulate.choices import TISSUE_WIDTH
from clearspot.simulate.faults import Fault
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import SampleFiles, write_outs
from clearspot.simulate.staining import Staining, StainingChoice
from clearspot.simulate.study import SectionFacts, SimulatedStudy

PresetName = Literal["test", "section"]

_COLUMNS: Final = ("sample", "spaceranger_dir", "image", "bin_size_um")


@dataclass(frozen=True)
class Preset:
    """Size of a simulated sample.

    Parameters
    ----------
    width_um, height_um
        Field of the phantom.
    n_genes
        Size of the panel.
    um_per_px
        Pixel of the full-resolution image.
    bin_sizes
        Bins of Visium HD (used by ``hd`` alone).
    mex
        Whether matrices are written as text too.
    """

    width_um: float
    height_um: float
    n_genes: int
    um_per_px: float
    bin_sizes: tuple[int, ...] = (2, 8, 16)
    mex: bool = True


def preset(name: PresetName, chemistry: Chemistry) -> Preset:
    """Sizes by name: ``test`` is made in seconds, ``section`` fills a 6.5 mm capture area."""
    if name == "section":
        # 11 million squares of 2 µm, and bins as text, would take longer than all the rest.
        return Preset(6496, 6496, 2000, 0.5, (8, 16), mex=chemistry != "hd")
    if chemistry == "hd":
        return Preset(1008, 1008, 500, 1.0)
    return Preset(2200, 2200, 500, 2.0)


def simulate_cohort(
    outdir: Path | str,
    *,
    name: PresetName = "test",
    chemistries: Sequence[Chemistry] = ("v1",),
    n_samples: int = 1,
    seed: int = 0,
    n_genes: int | None = None,
    width_um: float | None = None,
    height_um: float | None = None,
    tissue_width: float = TISSUE_WIDTH,
    um_per_px: float | None = None,
    image: bool = True,
    samplesheet: bool = True,
    truth_bins: Sequence[int] = (8,),
    staining: StainingChoice = "default",
    cells: bool = False,
    faults: Sequence[Fault] = (),
    study: SimulatedStudy | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[SampleFiles]:
    """Write ``outdir/phantom_1``, ``phantom_2``, ... and ``outdir/samplesheet.csv`` with paths relative to it.

    Parameters
    ----------
    outdir
        Made if absent.
    name
        Preset; the sizes that follow override it.
    chemistries
        Taken in turn by the samples.
    n_samples
        Number of samples; each has its own tissue, from ``seed``, ``seed + 1``, ...
    seed, n_genes, width_um, height_um, tissue_width, um_per_px, image, truth_bins
        See :func:`~clearspot.simulate.phantom.make_phantom` and
        :func:`~clearspot.simulate.spaceranger.write_outs`.
    samplesheet
        Whether to write it.
    staining
        How the samples are cut, stained and scanned: ``default``, all alike; ``drawn``, each its own, from its seed; or
        the seed of the first sample's, the others' being the next ones.
    cells
        Write segmented cells of the samples on Visium HD, which the samplesheet then asks for.
    faults
        What goes wrong with every sample.
    study
        Makes the samples sections of one study: the genes and programs of all are those of ``seed``, and the
        samplesheet has ``study``, ``batch``, ``donor`` and ``condition``.
    tell
        Called with a line for each sample.

    Returns
    -------
    Where each sample lies.
    """
    outdir, files = Path(outdir), []
    for index in range(n_samples):
        chemistry = chemistries[index % len(chemistries)]
        size = preset(name, chemistry)
        sample = f"phantom_{index + 1}"
        width = width_um or size.width_um
        phantom = make_phantom(
            seed + index,
            width_um=width,
            height_um=height_um or (width if width_um else size.height_um),
            tissue_width=tissue_width,
            n_genes=n_genes or size.n_genes,
            staining=Staining.chosen(staining, seed + index, index),
            panel_seed=None if study is None else seed,
        )
        if study is not None:
            phantom = replace(phantom, panel=study.panel(phantom.panel, seed, index))
        tell(f"{sample}: {chemistry}, {len(phantom.cells)} cells, {len(phantom.panel.var)} genes, seed {seed + index}")
        written = write_outs(
            phantom,
            outdir / sample,
            chemistry=chemistry,
            sample=sample,
            um_per_px=um_per_px or size.um_per_px,
            image=image,
            bin_sizes=size.bin_sizes,
            truth_bins=truth_bins,
            mex=size.mex,
            cells=cells and chemistry == "hd",
            faults=faults,
        )
        files.append(written)
    if samplesheet:
        _write_samplesheet(files, outdir / "samplesheet.csv", cells=cells, study=study)
    return files


def _write_samplesheet(files: Sequence[SampleFiles], path: Path, *, cells: bool, study: SimulatedStudy | None) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    of_study = [] if study is None else [entry.name for entry in fields(SectionFacts)]
    writer.writerow([*_COLUMNS, *(["unit"] if cells else []), *of_study])
    for index, one in enumerate(files):
        image = one.image.relative_to(path.parent).as_posix() if one.image else ""
        outs = one.outs.relative_to(path.parent).as_posix()
        is_hd = one.chemistry == "hd"
        unit = [("cells" if is_hd else "")] if cells else []
        facts = [] if study is None else astuple(study.facts(index))
        writer.writerow([one.sample, outs, image, 8 if is_hd and not cells else "", *unit, *facts])
    with atomic_path(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")
