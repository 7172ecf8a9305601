"""The reports of a finished run as a person meets them: opened from disk in a headless Chromium."""

from __future__ import annotations

from tests.helpers.browser import BLANK_CHARTS, VISIBLE_DRAWN, Browser
from tests.helpers.engine import Run

PICKERS = "[...document.querySelectorAll('[data-picker]')].map((picker) => picker.dataset.picker)"


def assert_sample_page_works(browser: Browser, run: Run, sample: str) -> None:
    """Every tab opens, every gene picker redraws its maps, nothing is complained of and nothing asked for."""
    page = run.outdir / sample / f"{sample}_report.html"
    browser.resize(1280, 5000)
    browser.open(page)
    tabs = browser.run("[...document.querySelectorAll('[role=tab]')].map((tab) => tab.id)")
    assert len(tabs) == 7
    tried, searched = [], False
    for tab in tabs:
        browser.run(f"document.getElementById('{tab}').click()")
        shown = browser.run("[...document.querySelectorAll('main > section')].filter((part) => !part.hidden).length")
        assert shown == 1
        browser.until(VISIBLE_DRAWN)
        assert browser.run(BLANK_CHARTS) == []
        # the pickers of the part that is open
        for picker in browser.run(PICKERS):
            box = f"document.querySelector('[data-picker=\"{picker}\"]')"
            if not browser.run(f"!!{box}.offsetParent"):
                continue
            last = browser.run(f"{box}.options[{box}.options.length - 1].value")
            browser.run(f"(() => {{ {box}.value = '{last}'; {box}.dispatchEvent(new Event('change')); }})()")
            browser.until(f"[...document.querySelectorAll('[data-drawn=\"{last}\"]')].length >= 2")
            tried.append(picker)
        if browser.run("!!document.querySelector('[data-genes]')?.offsetParent"):
            last = browser.run("document.querySelector('[data-genes] input').value")
            browser.run("document.querySelector('[data-genes] input').focus()")
            offered = "[...document.querySelectorAll('[data-genes] [role=option]')].map((option) => option.textContent)"
            other = next(gene for gene in browser.run(offered) if gene != last)
            browser.call("Input.insertText", text=other)
            for kind in ("keyDown", "keyUp"):
                browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13)
            browser.until(f"[...document.querySelectorAll('[data-drawn=\"{other}\"]')].length >= 2")
            searched = True
    assert searched
    assert sorted(tried) == sorted(browser.run(PICKERS))
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]


def assert_cohort_page_works(browser: Browser, run: Run) -> None:
    """MultiQC's page draws its plots, complains of nothing and asks for nothing."""
    page = run.outdir / "multiqc" / "multiqc_report.html"
    browser.resize(1280, 4000)
    browser.open(page)
    browser.until("!!document.querySelector('.js-plotly-plot')")
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]
