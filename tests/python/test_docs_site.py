"""The documentation as a site: built without a warning, and opened in a browser, from disk."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.browser import Browser


def build(pages: Path, settings: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build as `make docs` does."""
    command = [
        sys.executable, "-W", "ignore::FutureWarning", "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going",
        "--doctree-dir", out.with_name("doctrees"), "--conf-dir", settings, pages, out,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning ends the build with an error."""
    out = tmp_path_factory.mktemp("docs") / "site"
    done = build(repo / "docs", repo / "docs", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return out


def open_page(browser: Browser, site: Path, page: str, shown: str) -> None:
    """Open a page and wait for a text on it; it must not complain or ask for anything outside the site."""
    browser.open(site / page)
    browser.until(f"document.body.innerText.includes({shown!r})")
    assert browser.complaints == []
    assert browser.requests
    assert [url for url in browser.requests if not url.startswith(site.resolve().as_uri() + "/")] == []


def test_the_start_page_shows_the_readme_and_the_way_to_every_page(repo: Path, site: Path, browser: Browser) -> None:
    open_page(browser, site, "index.html", "Your own data")
    assert browser.run("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    listed = set(
        browser.run("[...document.querySelectorAll('.sidebar-tree a.internal')].map((a) => a.getAttribute('href'))")
    )
    pages = {path.relative_to(repo / "docs") for path in (repo / "docs").rglob("*.md")} - {Path("README.md")}
    expected = {path.with_suffix(".html").as_posix() for path in pages - {Path("index.md")}} | {"reference.html"}
    assert listed - {"#"} == expected


def test_the_reference_has_every_public_function_with_its_settings(site: Path, browser: Browser) -> None:
    open_page(browser, site, "reference.html", "API reference")
    documented = set(browser.run("[...document.querySelectorAll('dl.py > dt')].map((term) => term.id)"))
    functions = {"read_outs", "qc", "denoise", "domains", "superresolve", "passing", "pl.spots", "pl.superres"}
    assert {f"clearspot.{name}" for name in functions} <= documented
    text = browser.run("document.getElementById('clearspot.denoise').parentElement.innerText")
    assert "Maximum number of epochs." in text


def test_a_search_finds_its_page_from_disk(site: Path, browser: Browser) -> None:
    browser.open(site / "search.html", "?q=deviance")
    browser.until("[...document.querySelectorAll('#search-results a')].some((a) => a.href.includes('glossary.html'))")
    assert browser.complaints == []


def test_no_page_is_wider_than_a_phone(site: Path, browser: Browser) -> None:
    browser.resize(390, 844, phone=True)
    try:
        for page in ("index.html", "parameters.html", "output.html", "tutorials/outs-to-domains.html"):
            browser.open(site / page)
            assert browser.run("document.documentElement.scrollWidth") <= 390, page
    finally:
        browser.resize(1280, 1800)


def test_a_link_that_leads_nowhere_fails(repo: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("\n[gone](nowhere.md)\n")
    done = build(pages, repo / "docs", tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


@pytest.fixture(scope="module")
def as_on_site(repo: Path) -> Callable[[str, Path, Path], str]:
    function: Callable[[str, Path, Path], str] = runpy.run_path(str(repo / "docs" / "conf.py"))["as_on_site"]
    return function


@pytest.mark.parametrize(
    ("folder", "page_folder", "link", "expected"),
    [
        (".", "docs", "docs/usage.md#gene-lists", "usage.md#gene-lists"),
        (".", "docs", "docs/images/metro_map.svg", "images/metro_map.svg"),
        (".", "docs", "containers", "{home}/tree/main/containers"),
        ("docs", "docs", "../README.md", "index.md"),
        ("docs/methods", "docs/methods", "../../CHANGELOG.md", "../changelog.md"),
        ("docs/methods", "docs/methods", "../../nextflow.config", "{home}/blob/main/nextflow.config"),
        ("docs", "docs", "methods", "methods/qc.md"),
        ("docs", "docs", "nowhere.md", "nowhere.md"),
        ("docs", "docs", "#a-heading", "#a-heading"),
        ("docs", "docs", "https://example.org/a.md", "https://example.org/a.md"),
    ],
)
def test_links_lead_to_pages_of_the_site_or_to_the_repository(
    repo: Path, as_on_site, folder: str, page_folder: str, link: str, expected: str
) -> None:
    home = as_on_site.__globals__["HOME"]
    text = as_on_site(f"See [this]({link}), please.", repo / folder, repo / page_folder)
    assert text == f"See [this]({expected.format(home=home)}), please."
