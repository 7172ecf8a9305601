"""The page on paper, printed by a headless Chromium; skipped where there is none."""

import base64
import re
from pathlib import Path

import pytest

from tests.helpers.browser import VISIBLE_DRAWN, Browser

PRINT_ALL = (
    "(() => { window.print = () => dispatchEvent(new Event('beforeprint'));"
    " document.querySelector('#print-all').click(); })()"
)


def test_a_page_about_to_be_printed_shows_one_part_with_the_main_maps(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.until("[...document.querySelectorAll('#print-summary [data-chart]')].every((plot) => plot.dataset.drawn)")
    shown = "[...document.querySelectorAll('main > section:not([hidden])')].map((section) => section.id)"
    assert browser.run(shown) == ["overview"]
    charts = browser.run(
        "[...document.querySelectorAll('#print-summary [data-chart]')].map((plot) => plot.dataset.chart)"
    )
    assert charts == ["overlay", "map-total_counts", "map-domain_gmm", "gene-measured", "gene-denoised"]
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.querySelector('#print-summary').children.length") == 0
    assert browser.run("!!document.querySelector('#domains [data-chart=map-domain_gmm]')")


def test_the_summary_has_whole_captions_and_names_the_gene(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.until("[...document.querySelectorAll('#print-summary [data-chart]')].every((plot) => plot.dataset.drawn)")
    captions = "[...document.querySelectorAll('#print-summary figcaption')]"
    room = browser.run(f"{captions}.map((caption) => [caption.scrollHeight, caption.clientHeight])")
    assert len(room) == 5
    assert [pair for pair in room if pair[0] > pair[1]] == []
    after = "getComputedStyle(caption.querySelector('strong'), '::after').content"
    named = browser.run(f"{captions}.map((caption) => {after}).filter((content) => content !== 'none')")
    gene = browser.run("document.querySelector('#print-summary [data-chart=gene-denoised]').dataset.drawn")
    assert [gene in content for content in named] == [True, True]
    browser.run("dispatchEvent(new Event('afterprint'))")


def test_the_summary_is_one_sheet_of_paper(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    sheet = browser.call("Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69)["data"]
    assert len(re.findall(rb"/Type\s*/Page[^s]", base64.b64decode(sheet))) == 1


def test_all_parts_are_printed_if_they_are_asked_for(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    browser.run(PRINT_ALL)
    browser.until("[...document.querySelectorAll('[data-chart]')].every((plot) => plot.dataset.drawn)")
    assert browser.run("[...document.querySelectorAll('main > section')].some((section) => section.hidden)") is False
    assert browser.run("document.querySelector('details.passed').open") is True
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.querySelectorAll('main > section:not([hidden])').length") == 1
    assert browser.run("document.querySelector('details.passed').open") is False


def test_a_printed_chart_fits_its_box_and_the_box_the_paper(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    browser.run(PRINT_ALL)
    browser.until("[...document.querySelectorAll('[data-chart]')].every((plot) => plot.dataset.drawn)")
    widths = browser.run(
        "[...document.querySelectorAll('[data-chart]')].map("
        "(plot) => [plot.querySelector('.main-svg').getBoundingClientRect().width, plot.clientWidth])"
    )
    right = browser.run(
        "Math.max(...[...document.querySelectorAll('[data-chart]')].map("
        "(plot) => plot.getBoundingClientRect().right)) - document.querySelector('main').getBoundingClientRect().left"
    )
    assert all(drawn == pytest.approx(box, abs=1) for drawn, box in widths), widths
    # A4 less margins of 12 mm, at 96 pixels an inch
    assert right <= (210 - 24) / 25.4 * 96


def test_checks_that_passed_are_folded_and_stay_as_the_reader_left_them(browser: Browser, page: Path) -> None:
    browser.resize(1280, 800)
    browser.open(page)
    browser.until(VISIBLE_DRAWN)
    folded = "document.querySelector('#overview details.passed')"
    passed = browser.run(f"{folded}.querySelectorAll('.light.good').length") - 1  # the summary has one, too
    assert browser.run(f"{folded}.open") is False
    assert browser.run(f"{folded}.querySelector('summary').innerText").endswith(f"{passed} checks passed")
    browser.run(PRINT_ALL)
    browser.run("dispatchEvent(new Event('afterprint'))")
    browser.run(f"{folded}.open = true")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run(f"{folded}.open") is True
