"""The ``clearspot`` command. Commands import what they need when they run, so that ``--help`` is instant."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearspot import __version__
from clearspot.contract.options import FILE, FOLDER, INPUT_FOLDER, options_of
from clearspot.contract.settings import settings_of
from clearspot.diffst.options import PRETRAIN_FIELDS, PRETRAIN_OPTIONS, RUN_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.dusted.options import denoise_options
from clearspot.errors import exit_codes
from clearspot.export.params import ExportParams
from clearspot.io.options import SCALE_OPTION
from clearspot.simulate.choices import FAULTS, STRENGTHS, TISSUE_WIDTH

if TYPE_CHECKING:
    from clearspot.record import StepRecord
    from clearspot.simulate.study import SimulatedStudy


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clearspot")
def main() -> None:
    """Denoise and super-resolve Space Ranger output."""


def _staining(_context: click.Context, _option: click.Parameter, value: str) -> str | int:
    """Parse a keyword or a seed."""
    if value in ("default", "drawn"):
        return value
    if value.isdecimal():
        return int(value)
    raise click.BadParameter(f"{value!r} is not valid: use default, drawn or a seed (a whole number of at least 0).")


@main.command()
@click.argument("outdir", type=FOLDER)
@click.option(
    "--preset",
    "name",
    type=click.Choice(["test", "section"]),
    default="test",
    show_default=True,
    help="Size of the samples: a few hundred spots, or a whole 6.5 mm section.",
)
@click.option(
    "--chemistry",
    "chemistries",
    type=click.Choice(["v1", "v2", "hd"]),
    multiple=True,
    default=("v1",),
    show_default=True,
    help="Visium v1, v2 (CytAssist) or Visium HD. Repeat to alternate chemistries between samples.",
)
@click.option(
    "--samples", "n_samples", type=click.IntRange(min=1), default=1, show_default=True, help="Number of samples."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed of the first sample."
)
@click.option("--genes", "n_genes", type=click.IntRange(min=1), help="Number of genes.  [default: set by the preset]")
@click.option(
    "--width-um", type=click.FloatRange(min=500), help="Width of the field in µm.  [default: set by the preset]"
)
@click.option(
    "--height-um", type=click.FloatRange(min=500), help="Height of the field in µm.  [default: same as the width]"
)
@click.option(
    "--tissue-width",
    type=click.FloatRange(min=0.5, max=1),
    default=TISSUE_WIDTH,
    show_default=True,
    help="Width of the tissue as a share of the width of the field.",
)
@click.option(
    "--um-per-px",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of a full-resolution pixel in µm.  [default: set by the preset]",
)
@click.option("--image/--no-image", default=True, show_default=True, help="Write the full-resolution image.")
@click.option(
    "--staining",
    default="default",
    show_default=True,
    metavar="default|drawn|SEED",
    callback=_staining,
    help="Staining of the images: default for all samples, drawn at random for each sample, or drawn with another "
    "SEED.",
)
@click.option(
    "--fault",
    "kinds",
    type=click.Choice(FAULTS),
    multiple=True,
    help="Fault to simulate. Repeat for several faults at once.",
)
@click.option(
    "--fault-strength",
    "strength",
    type=click.Choice(STRENGTHS),
    default="middle",
    show_default=True,
    help="Severity of the faults.",
)
@click.option("--cells", is_flag=True, help="Visium HD: also write segmented cells, as in Space Ranger 4.")
@click.option("--samplesheet/--no-samplesheet", default=True, show_default=True, help="Write samplesheet.csv.")
@click.option(
    "--truth-002um", is_flag=True, help="Also write the true expression in 2 µm bins, in addition to 8 µm bins."
)
@click.option("--study", help="Make the samples sections of this study: with the same genes and cell types.")
@click.option(
    "--condition", "conditions", multiple=True, help="Condition of the study, the reference first. Repeat for each."
)
@click.option(
    "--batches", "n_batches", type=click.IntRange(min=1), default=1, show_default=True, help="Batches of the study."
)
@click.option(
    "--batch-sd",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Size of the batch effect: standard deviation of the natural logarithm of each gene's factor.",
)
@click.option(
    "--donor-sd",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Size of the differences between donors, given as for the batches.",
)
@click.option(
    "--de-fraction",
    type=click.FloatRange(min=0, max=1),
    default=0.0,
    show_default=True,
    help="Fraction of the genes that are differentially expressed between conditions, half of them up.",
)
@click.option("--lfc", type=float, default=1.0, show_default=True, help="Their log2 fold change.")
@click.option("--de-program", help="Cell type or domain in which they change.  [default: all]")
def simulate(outdir: Path, truth_002um: bool, kinds: tuple[Any, ...], strength: Any, **options: Any) -> None:
    """Write simulated samples with known truth into OUTDIR.

    Each sample is a tissue phantom in the folder OUTDIR/phantom_N: outs/ in the format of Space Ranger, image.tif, and
    truth/ with the true expression. With --study, the samples are sections of one study.
    """
    from clearspot.simulate.cohort import simulate_cohort
    from clearspot.simulate.faults import Fault

    with exit_codes():
        try:
            study = _simulated_study(options)
            faults = [Fault(kind, strength) for kind in kinds]
            bins = (2, 8) if truth_002um else (8,)
            simulate_cohort(outdir, truth_bins=bins, faults=faults, study=study, tell=click.echo, **options)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


def _simulated_study(options: dict[str, Any]) -> SimulatedStudy | None:
    """Take the options of a study out of the others; refuse them without a study."""
    from dataclasses import fields

    from clearspot.simulate.study import SimulatedStudy

    name = options.pop("study")
    given = {field.name: options.pop(field.name) for field in fields(SimulatedStudy) if field.name != "name"}
    if name is not None:
        return SimulatedStudy(name, **given)
    changed = [field.name for field in fields(SimulatedStudy) if given.get(field.name, field.default) != field.default]
    if changed:
        raise ValueError(f"{', '.join(changed)}: these belong to a study, which --study names")
    return None


@main.command()
@click.argument("h5ad", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="AnnData file to write."
)
@click.option("--sample", help="Sample name used in messages.  [default: name of the input file]")
@click.option(
    "--models",
    type=FOLDER,
    help="Folder for the checkpoint, loss curve, attention and gene attention.  [default: not written]",
)
@denoise_options
def denoise(h5ad: Path, output: Path, sample: str | None, models: Path | None, **options: Any) -> None:
    """Denoise the counts of H5AD, any AnnData file of one section, with DUSTED.

    Requires counts (layers['counts'], or whole numbers in X) and coordinates (obsm['spatial']). If
    obsp['spatial_connectivities'] is absent, a graph of adjacent spots is built. Adds layers['denoised'],
    obsm['X_dusted'] and columns of var. The record of the run is written next to the output, as STEM.dusted.json.
    """
    with exit_codes():
        from clearspot.dusted.command import Targets, denoise_file

        record = denoise_file(h5ad, Targets.beside(output, models), sample or h5ad.stem, **options)
        _show_messages([record] if record else [])


@main.command()
@click.argument("h5ad", type=FILE)
@click.option("-o", "--outdir", required=True, type=FOLDER, help="Output folder.")
@click.option("--image", type=FILE, help="Full-resolution histology image.  [default: no image, expression only]")
@click.option("--sample", help="Sample name used in file names and messages.  [default: name of the input file]")
@click.option("--checkpoint", type=FILE, help="Trained model to use.  [default: train on this section]")
@click.option("--start-from", type=FILE, help="Pretrained model to start from, written by 'clearspot diffst pretrain'.")
@SCALE_OPTION
@options_of(DiffstParams, *(name for name in settings_of(DiffstParams) if name != "image"))
def superresolve(
    h5ad: Path,
    outdir: Path,
    image: Path | None,
    sample: str | None,
    checkpoint: Path | None,
    start_from: Path | None,
    **options: Any,
) -> None:
    """Super-resolve the counts of H5AD, any AnnData file of one section, with Diff-ST.

    Requires counts (layers['counts'], or whole numbers in X), coordinates (obsm['spatial']) and the pixel size
    (uns['clearspot']['microns_per_pixel'], or --microns-per-pixel). Writes SAMPLE.superres.h5ad, the trained model and
    the records of the steps. Super-resolved values are predicted, not measured.
    """
    with exit_codes():
        from clearspot.diffst.output.command import superresolve_file

        models = {"checkpoint": checkpoint, "start_from": start_from}
        _show_messages(superresolve_file(h5ad, image, outdir, sample or h5ad.stem, **models, **options))


@main.command()
@click.argument("h5ad", type=FILE)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Zipped store to write."
)
@click.option("--superres", type=FILE, help="Super-resolved file of the sample, for its bins.  [default: without]")
@click.option("--sample", help="Sample name in the store and in messages.  [default: the input's file name]")
@options_of(ExportParams)
def export(h5ad: Path, output: Path, superres: Path | None, sample: str | None, **options: Any) -> None:
    """Write H5AD, any AnnData file of one section, as a zipped SpatialData store (.zarr.zip).

    It needs coordinates (obsm['spatial']). The store has the table, the spots and, where the file has them, the reduced
    pictures; with --superres also the super-resolved bins.
    """
    with exit_codes():
        from clearspot.export.command import export_file

        _show_messages([export_file(h5ad, output, sample or h5ad.stem, superres, ExportParams(**options))])


@main.command()
@click.argument("folder", type=INPUT_FOLDER)
def view(folder: Path) -> None:
    """Serve FOLDER, the results of one sample, to viewers in a browser on this computer. Stop with Ctrl-C.

    Prints a link that opens the sample in Vitessce. The data stay on this computer.
    """
    from clearspot.export.viewers import addresses, server

    links = addresses(folder)
    if not links:
        raise click.UsageError(f"no *.vitessce.json in {folder}: specify the results folder of one sample")
    with server(folder) as running:
        for link in links:
            click.echo(link)
        with suppress(KeyboardInterrupt):
            running.serve_forever()


@main.group()
def diffst() -> None:
    """Train Diff-ST models."""


@diffst.command()
@click.argument("references", type=FILE)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Model file to write."
)
@PRETRAIN_OPTIONS
@options_of(DiffstParams, "image_encoder", *PRETRAIN_FIELDS, *RUN_FIELDS)
def pretrain(references: Path, output: Path, **options: Any) -> None:
    """Train a Diff-ST model on REFERENCES, a samplesheet of Visium HD and Xenium samples with their images.

    Columns: sample, spaceranger_dir, image, image_alignment, bin_size_um, microns_per_pixel, as in the pipeline's
    samplesheet. Use the model for samples with Visium spots: superresolve --start-from, or the pipeline's
    --diffst_pretrained. The model card lists the references and the accuracy on held-out blocks.
    """
    with exit_codes():
        from clearspot.diffst.output.reference_sheet import pretrain_sheet

        _show_messages(pretrain_sheet(references, output, **options))


@main.group()
def study() -> None:
    """Work with a finished study of several sections."""


@study.command("add")
@click.argument("study_h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("section_h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="Model of the study (models/STUDY.dusted.pt).",
)
@click.option("--outdir", type=FOLDER, required=True, help="Folder for the files of the study.")
@click.option("--device", default="cpu", show_default=True, help="Device to compute on: cpu, cuda or auto.")
@click.option("--threads", type=click.IntRange(min=1), help="Number of CPU threads.  [default: all cores]")
def study_add(
    study_h5ad: Path, section_h5ad: Path, model: Path, outdir: Path, device: str, threads: int | None
) -> None:
    """Add the section SECTION_H5AD to the finished study STUDY_H5AD.

    The study must have been integrated by DUSTED. Its model embeds the section, and the spots get the domains that the
    study has. Nothing is trained. The study with the section is written to OUTDIR; conditions are not compared again.
    """
    import anndata as ad

    from clearspot.study.add import add_section
    from clearspot.study.files import write_added

    with exit_codes():
        added = add_section(ad.read_h5ad(study_h5ad), model, section_h5ad, device=device, threads=threads)
        for path in write_added(added, study_h5ad.stem, outdir):
            click.echo(path)
        for message in added.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


def _show_messages(records: Iterable[StepRecord]) -> None:
    """Show the messages of records, each once."""
    for message in dict.fromkeys(message for record in records for message in record.messages):
        click.echo(f"{message.level}: {message.text}", err=True)
