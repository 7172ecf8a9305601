"""Take the documentation's pictures of the reports: ``python -m docs.images.screenshots RESULTS SAMPLE docs/images``.

RESULTS is the output folder of a finished run, SAMPLE one of its samples, or with ``--study`` one of its studies. Needs
Chromium; asks nothing of the network.
"""

import io
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click
import numpy as np
from PIL import Image

from clearspot import keys
from tests.helpers.browser import VISIBLE_DRAWN, Browser, find_chromium

WIDE, PHONE = 1280, 390
SWIPE = (
    "(() => { document.querySelector('[data-swipe]').click(); const edge = document.querySelector('.swipe-edge input');"
    " edge.value = 45; edge.dispatchEvent(new Event('input')); })()"
)
View = tuple[str, str, int, int, bool, str]
"""Name, part of the page, width, height, dark, script that is run first."""

SAMPLE_VIEWS: Sequence[View] = (
    ("overview", "overview", WIDE, 1250, False, ""),
    ("qc", "qc", WIDE, 1700, False, ""),
    ("denoising", "denoising", WIDE, 1500, False, SWIPE),
    ("superres", "superres", WIDE, 1850, False, ""),
    ("phone", "overview", PHONE, 1500, False, ""),
    ("phone_dark", "denoising", PHONE, 1500, True, SWIPE),
)
STUDY_VIEWS: Sequence[View] = (
    ("domains", "domains", WIDE, 1250, False, ""),
    ("genes", "genes", WIDE, 1350, False, ""),
)
# A browser without a pointer shows plotly's buttons all the time; with one it shows them where the pointer is.
NO_BUTTONS = "document.head.insertAdjacentHTML('beforeend', '<style>.modebar { display: none !important }</style>')"
MULTIQC_DRAWN = (
    "document.querySelectorAll('.mqc_hcplot_plotgroup .js-plotly-plot, #general_stats_table tbody tr').length > 0"
)
_GROUNDS = 32


@click.command()
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("sample")
@click.argument("outdir", type=click.Path(file_okay=False, path_type=Path))
@click.option("--study", is_flag=True, help="SAMPLE is a study.")
def main(results: Path, sample: str, outdir: Path, study: bool) -> None:
    """Write <sample>_<view>.png for each view of the sample's report and of the cohort's."""
    executable = find_chromium()
    if executable is None:
        raise click.ClickException("there is no Chromium on this machine")
    outdir.mkdir(parents=True, exist_ok=True)
    with closing(Browser(executable)) as browser:
        if study:
            take(browser, results / keys.STUDIES_FOLDER / sample, STUDY_VIEWS, outdir)
        else:
            take(browser, results / sample, SAMPLE_VIEWS, outdir)
            take_cohort(browser, results, sample, outdir)
        if browser.complaints:
            raise click.ClickException(f"the last page complains: {browser.complaints}")


def take(browser: Browser, folder: Path, views: Sequence[View], outdir: Path) -> None:
    """Open a report in every size, and keep what is seen."""
    sample = folder.name
    page = folder / keys.report_name(sample)
    for name, part, width, height, dark, script in views:
        browser.resize(width, height, phone=width == PHONE, dark=dark)
        browser.open(page, f"#{part}")
        browser.run(NO_BUTTONS)
        browser.until(VISIBLE_DRAWN)
        if script:
            browser.run(script)
        keep(browser, outdir / f"{sample}_{name}.png")


def take_cohort(browser: Browser, results: Path, sample: str, outdir: Path) -> None:
    """The same of the cohort report."""
    for name, width, height in (("multiqc", WIDE, 1500), ("multiqc_phone", PHONE, 1500)):
        browser.resize(width, height, phone=width == PHONE)
        browser.open(results / "multiqc" / "multiqc_report.html")
        browser.until(MULTIQC_DRAWN)
        keep(browser, outdir / f"{sample}_{name}.png")


def keep(browser: Browser, path: Path) -> None:
    """Write the window's picture in few colours: a third of the size, and no difference to the eye."""
    time.sleep(2)  # plotly's own transitions, and fonts
    browser.screenshot(path)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        small = in_few_colours(picture.convert("RGB"))
    small.save(path, optimize=True)
    click.echo(f"{path} {path.stat().st_size // 1000} kB")


def in_few_colours(picture: Image.Image) -> Image.Image:
    """Return the picture with a palette: the grounds of the page as they are, and colours that leave no icon out."""
    counted = sorted(picture.getcolors(1 << 24), reverse=True)
    grounds = [colour for _, colour in counted[:_GROUNDS]]
    rest = picture.quantize(256 - _GROUNDS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in grounds for channel in colour] + rest[: 3 * (256 - _GROUNDS)])
    small = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    # Pillow takes a near colour for the nearest: a white page became a grey one.
    numbers, pixels = np.array(small), np.asarray(picture)
    for number, colour in enumerate(grounds):
        numbers[(pixels == colour).all(axis=2)] = number
    small.paste(Image.fromarray(numbers))
    return small


if __name__ == "__main__":
    main()
