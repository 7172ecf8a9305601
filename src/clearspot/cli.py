"""The ``clearspot`` command. Commands import what they need when they run, so that ``--help`` is instant."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from clearspot import __version__
from clearspot.contract.options import FILE, FOLDER, options_of
from clearspot.contract.settings import settings_of
from clearspot.diffst.options import PRETRAIN_FIELDS, PRETRAIN_OPTIONS, RUN_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.dusted.options import denoise_options
from clearspot.errors import exit_codes
from clearspot.io.options import SCALE_OPTION

if TYPE_CHECKING:
    from clearspot.record import StepRecord


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clearspot")
def main() -> None:
    """Cleaner and finer expression from Space Ranger output."""


def _staining(_context: click.Context, _option: click.Parameter, value: str) -> str | int:
    """Tell a word from a seed."""
    if value in ("default", "drawn"):
        return value
    if value.isdecimal():
        return int(value)
    raise click.BadParameter(f"{value!r} is not default, drawn or a seed (a whole number, at least 0).")


FAULT_NAMES: Final = (
    "shifted", "mirrored", "rotated", "shuffled", "dead_region", "torn", "dried", "bleeding", "low_sequencing",
    "low_counts", "blurred", "overexposed", "pale",
)  # fmt: skip
"""As in :mod:`clearspot.simulate.faults`, which takes a second to import; a test holds them together."""


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
    help="Visium v1, v2 (CytAssist) or Visium HD; if repeated, the samples take them in turn.",
)
@click.option(
    "--samples", "n_samples", type=click.IntRange(min=1), default=1, show_default=True, help="Number of samples."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed of the first sample."
)
@click.option("--genes", "n_genes", type=click.IntRange(min=1), help="Number of genes.  [default: by preset]")
@click.option("--width-um", type=click.FloatRange(min=500), help="Width of the field.  [default: by preset]")
@click.option("--height-um", type=click.FloatRange(min=500), help="Height of the field.  [default: equal to the width]")
@click.option(
    "--um-per-px",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of a full-resolution pixel in µm.  [default: by preset]",
)
@click.option("--image/--no-image", default=True, show_default=True, help="Write the full-resolution image.")
@click.option(
    "--staining",
    default="default",
    show_default=True,
    metavar="default|drawn|SEED",
    callback=_staining,
    help="Stain, section and scanner of the image: all samples alike, each its own, or each its own from another seed.",
)
@click.option(
    "--fault",
    "kinds",
    type=click.Choice(FAULT_NAMES),
    multiple=True,
    help="Spoil the samples on purpose; may be repeated for several faults at once.",
)
@click.option(
    "--fault-strength",
    "strength",
    type=click.Choice(["weak", "middle", "strong"]),
    default="middle",
    show_default=True,
    help="How badly.",
)
@click.option("--cells", is_flag=True, help="Visium HD: write segmented cells too, as Space Ranger 4 does.")
@click.option("--samplesheet/--no-samplesheet", default=True, show_default=True, help="Write samplesheet.csv.")
@click.option("--truth-002um", is_flag=True, help="Write the true expression in 2 µm bins too, beside 8 µm bins.")
def simulate(outdir: Path, truth_002um: bool, kinds: tuple[Any, ...], strength: Any, **options: Any) -> None:
    """Write simulated samples with known truth into OUTDIR.

    Each sample is a tissue phantom: OUTDIR/phantom_1/{outs,image.tif,truth}, and so on, as Space Ranger would have
    written it, with the true expression beside it.
    """
    from clearspot.simulate.cohort import simulate_cohort
    from clearspot.simulate.faults import Fault

    with exit_codes():
        try:
            faults = [Fault(kind, strength) for kind in kinds]
            bins = (2, 8) if truth_002um else (8,)
            simulate_cohort(outdir, truth_bins=bins, faults=faults, tell=click.echo, **options)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


@main.command()
@click.argument("h5ad", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="AnnData file to write."
)
@click.option("--sample", help="Sample name in messages.  [default: the input's file name]")
@click.option(
    "--models",
    type=FOLDER,
    help="Folder for checkpoint, loss curve, attention and gene attention.  [default: not kept]",
)
@denoise_options
def denoise(h5ad: Path, output: Path, sample: str | None, models: Path | None, **options: Any) -> None:
    """Denoise the counts of H5AD, any AnnData file of one section, with DUSTED.

    It needs counts (layers['counts'], or whole numbers in X) and coordinates (obsm['spatial']); the graph of touching
    spots is built where obsp['spatial_connectivities'] is absent. Adds layers['denoised'], obsm['X_dusted'] and
    columns of var, and writes the record of the run beside the output, as STEM.dusted.json.
    """
    with exit_codes():
        from clearspot.dusted.command import Targets, denoise_file

        record = denoise_file(h5ad, Targets.beside(output, models), sample or h5ad.stem, **options)
        _show_messages([record] if record else [])


@main.command()
@click.argument("h5ad", type=FILE)
@click.option("-o", "--outdir", required=True, type=FOLDER, help="Output folder.")
@click.option("--image", type=FILE, help="Full-resolution histology image.  [default: expression alone]")
@click.option("--sample", help="Sample name in file names and messages.  [default: the input's file name]")
@click.option("--checkpoint", type=FILE, help="Trained model.  [default: trained on this section]")
@click.option("--start-from", type=FILE, help="Model of 'clearspot diffst pretrain', to go on from.")
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

    It needs counts (layers['counts'], or whole numbers in X), coordinates (obsm['spatial']) and the size of a pixel
    (uns['clearspot']['microns_per_pixel'], or --microns-per-pixel). Writes SAMPLE.superres.h5ad, the trained model and
    the records of the steps. The result is predicted, never measured.
    """
    with exit_codes():
        from clearspot.diffst.output.command import superresolve_file

        models = {"checkpoint": checkpoint, "start_from": start_from}
        _show_messages(superresolve_file(h5ad, image, outdir, sample or h5ad.stem, **models, **options))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def view(folder: Path) -> None:
    """Serve FOLDER, a sample's results, to viewers in this machine's browser until stopped (Ctrl-C).

    Prints the link that opens the sample in Vitessce. The data stay on this machine.
    """
    from clearspot.export.viewers import addresses, server

    links = addresses(folder)
    if not links:
        raise click.UsageError(f"there is no *.vitessce.json in {folder}: give a sample's folder of the results")
    with server(folder) as running:
        for link in links:
            click.echo(link)
        with suppress(KeyboardInterrupt):
            running.serve_forever()


@main.group()
def diffst() -> None:
    """Models of Diff-ST."""


@diffst.command()
@click.argument("references", type=FILE)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Model file to write."
)
@PRETRAIN_OPTIONS
@options_of(DiffstParams, "image_encoder", *PRETRAIN_FIELDS, *RUN_FIELDS)
def pretrain(references: Path, output: Path, **options: Any) -> None:
    """Train a model on REFERENCES, a samplesheet of Visium HD and Xenium samples with their images.

    Columns: sample, spaceranger_dir, image, image_alignment, bin_size_um, microns_per_pixel, as in the pipeline's
    samplesheet. The model serves every sample with spots like Visium's: superresolve --start-from, or the pipeline's
    --diffst_pretrained. Its model card says what it learned from, and how well it predicts blocks that were held out.
    """
    with exit_codes():
        from clearspot.diffst.output.reference_sheet import pretrain_sheet

        _show_messages(pretrain_sheet(references, output, **options))


def _show_messages(records: Iterable[StepRecord]) -> None:
    """Show the messages of records, each once."""
    for message in dict.fromkeys(message for record in records for message in record.messages):
        click.echo(f"{message.level}: {message.text}", err=True)
