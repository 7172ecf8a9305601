"""Settings of Sphinx for the documentation as a site: ``make docs`` builds it into ``_site``.

The pages are plain Markdown that reads well in the repository too. Links that leave ``docs`` lead to the repository's
home page on the site; README, changelog and citations are pages of the site.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pygments.lexers.special import TextLexer

import clearspot
from clearspot import __version__
from clearspot.notebook import steps

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS: Final = Path(__file__).resolve().parent
REPOSITORY: Final = DOCS.parent
HOME: Final[str] = re.findall(r"homePage += '(.+)'", (REPOSITORY / "nextflow.config").read_text(encoding="utf-8"))[0]
FROM_ROOT: Final = {"index": "README.md", "changelog": "CHANGELOG.md", "citations": "CITATIONS.md"}
"""Pages whose text stands in the root of the repository, and the file of each."""
FOLDERS: Final = {
    "docs": DOCS / "index.md",
    "docs/methods": DOCS / "methods" / "qc.md",
    "docs/tutorials": DOCS / "tutorials" / "outs-to-domains.md",
}
"""Folders that a link names, and the page that it opens."""

project = "clearspot"
author = "The clearspot developers"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["README.md", "images/*.py"]
# An upper bound for headings that links may point to, as on code hosts.
myst_heading_anchors = 4
# Front matter of the tutorials is for jupytext.
suppress_warnings = ["myst.topmatter"]

autodoc_typehints_format = "fully-qualified"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"clearspot {version}"
html_static_path = ["static"]
html_css_files = ["tables.css"]
# A summary of a page found is fetched from the page, which a browser does not do from disk.
html_show_search_summary = False
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

RETURNS: Final = re.compile(r"^(?P<head>Returns\n-+\n)(?P<text>(?:\S.*(?:\n|\Z))+)", flags=re.MULTILINE)
LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)(?P<path>[^)#\s]+)(?=[)#])")


def as_on_site(text: str, folder: Path, page_folder: Path) -> str:
    """Point the links of a page to where they lead on the site.

    Parameters
    ----------
    text
        The page in Markdown.
    folder
        Folder of the file, to which its links are relative.
    page_folder
        Folder of the page on the site.

    Returns
    -------
    The same text. A link to a file that is not there stays, so that Sphinx complains of it.
    """

    def moved(match: re.Match[str]) -> str:
        target = (folder / match["path"]).resolve()
        if not target.exists():
            return match["path"]
        within = target.relative_to(REPOSITORY).as_posix()
        for page, file in FROM_ROOT.items():
            if within == file:
                target = DOCS / f"{page}.md"
        target = FOLDERS.get(within, target)
        if target.is_relative_to(DOCS) and target.suffix in (".md", ".png", ".svg") and target != DOCS / "README.md":
            return os.path.relpath(target, page_folder)
        return f"{HOME}/{'tree' if target.is_dir() else 'blob'}/main/{within}"

    return LINK.sub(moved, text)


def read_page(_app: Sphinx, name: str, source: list[str]) -> None:
    """Put the text of a page together before it is parsed."""
    page_folder = (DOCS / name).parent
    source[0] = as_on_site(source[0], page_folder, page_folder)
    if name in FROM_ROOT:
        path = REPOSITORY / FROM_ROOT[name]
        source[0] = as_on_site(path.read_text(encoding="utf-8"), REPOSITORY, page_folder) + source[0]


def read_docstring(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Keep a paragraph under "Returns" together: napoleon takes each line of it for a type."""
    lines[:] = RETURNS.sub(_as_description, "\n".join(lines)).split("\n")


def _as_description(match: re.Match[str]) -> str:
    """As the description of a value without name and type."""
    return f"{match['head']}:\n    {match['text'].rstrip().replace(chr(10), chr(10) + '    ')}\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect what this file adds to Sphinx."""
    app.connect("source-read", read_page)
    app.connect("autodoc-process-docstring", read_docstring, priority=400)  # before napoleon
    app.add_lexer("csv", TextLexer)
    # These two are packages that can be called; what is documented is the function.
    for name in ("qc", "domains"):
        setattr(clearspot, name, getattr(steps, name))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
