"""The cohort report: MultiQC's inputs and the summary table, from the records of all samples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml

from clearspot import __version__, keys
from clearspot.extras import extra
from clearspot.io.atomic import atomic_path
from clearspot.report import mqc
from clearspot.report.cohort_sections import cohort_sections, general_section, summary_words
from clearspot.report.cohort_studies import study_label
from clearspot.report.methods import methods_html
from clearspot.report.metrics import read_cohort, read_run, read_studies
from clearspot.report.rule import Rule
from clearspot.report.rules import RULES
from clearspot.report.summary import write_summary

INPUTS_NAME: Final = "multiqc_inputs"
VERSIONS_NAME: Final = "clearspot_mqc_versions.yml"


def write_multiqc_inputs(
    records: Iterable[Path],
    outdir: Path,
    *,
    versions: Mapping[str, Mapping[str, str]] | None = None,
    rules: Sequence[Rule] = RULES,
) -> dict[str, str]:
    """Write ``*_mqc.json``, ``clearspot_mqc_versions.yml`` and ``qc_summary.csv`` into a folder.

    Parameters
    ----------
    records
        Records of any steps of any samples and studies, and of steps that ran once (files, or folders of them); a
        sample that was refused has few of them.
    outdir
        Folder, created if missing.
    versions
        Software by process, then by name.
    rules
        Limits behind the traffic lights.

    Returns
    -------
    Pages that the report links to: names in its tables, and where the pipeline puts their pages, seen from the folder
    of the report.

    Raises
    ------
    ValueError
        If there is no record at all.
    """
    places = list(records)
    samples, studies, run = read_cohort(places), read_studies(places), read_run(places)
    if not samples:
        raise ValueError("no records: a cohort report needs records of at least one sample")
    outdir.mkdir(parents=True, exist_ok=True)
    sections = [general_section(samples, rules), *cohort_sections(samples, studies, run)]
    sections.append(
        mqc.text("clearspot_methods", "Methods", "Draft text for a methods section.", methods_html(samples))
    )
    for section in sections:
        mqc.write_section(section, outdir)
    with atomic_path(outdir / VERSIONS_NAME) as partial:
        stated = {process: dict(tools) for process, tools in (versions or {}).items()}
        partial.write_text(yaml.safe_dump({"clearspot": {"clearspot": __version__}, **stated}), encoding="utf-8")
    style = outdir / "multiqc.css"
    with atomic_path(style) as partial:
        partial.write_bytes((files("clearspot.report") / "templates" / "multiqc.css").read_bytes())
    config: dict[str, Any] = {"intro_text": summary_words(samples, run), "custom_css_files": [str(style.resolve())]}
    with atomic_path(outdir / "multiqc_intro.yml") as partial:
        partial.write_text(yaml.safe_dump(config), encoding="utf-8")
    write_summary(samples, rules, outdir / keys.QC_SUMMARY_NAME)
    pages = {records.sample: f"../{records.sample}/{keys.report_name(records.sample)}" for records in samples}
    return pages | {
        study_label(records.sample): f"../{keys.STUDIES_FOLDER}/{records.sample}/{keys.report_name(records.sample)}"
        for records in studies
        if records.ran("study")
    }


def read_versions(paths: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Read ``process: {software: version}`` from YAML files; versions stay text."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}
        for process, tools in content.items():
            found.setdefault(process, {}).update(tools if isinstance(tools, dict) else {process: str(tools)})
    return found


def run_multiqc(
    inputs: Path,
    outdir: Path,
    configs: Sequence[Path] = (),
    title: str | None = None,
    pages: Mapping[str, str] | None = None,
) -> Path:
    """Make the report from the inputs, without the network, in a process of its own.

    Parameters
    ----------
    inputs
        Folder of :func:`write_multiqc_inputs`.
    outdir
        Folder of the report.
    configs
        MultiQC's configuration; the last one wins.
    title
        Title of the report.
    pages
        Names in tables that become links, and what they lead to: what :func:`write_multiqc_inputs` returned.

    Returns
    -------
    ``multiqc_report.html``; ``multiqc_data`` stands beside it.

    Raises
    ------
    MissingExtraError
        If MultiQC is not installed.
    RuntimeError
        With MultiQC's own message, if it fails.
    """
    with extra("report"):
        if find_spec("multiqc") is None:  # not imported here: that takes seconds
            raise ModuleNotFoundError(name="multiqc")
    command = [
        sys.executable, "-m", "multiqc", str(inputs), "--outdir", str(outdir), "--filename", keys.MULTIQC_REPORT_NAME,
        "--force", "--no-ansi", "--no-version-check", "--no-megaqc-upload", "--no-ai", "--strict", "--data-dir",
        "--module", "custom_content", "--config", str(inputs / "multiqc_intro.yml"),
    ]  # fmt: skip
    for config in configs:
        command += ["--config", str(config)]
    if title:
        command += ["--title", title]
    # Its caches go to the home folder, which a container may not have.
    home = inputs / ".home"
    home.mkdir(exist_ok=True)
    environment = os.environ | {"HOME": str(home), "MPLCONFIGDIR": str(home)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report = outdir / keys.MULTIQC_REPORT_NAME
    if done.returncode != 0 or not report.is_file():
        raise RuntimeError(f"MultiQC failed ({done.returncode}):\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    _link_pages(report, pages or {})
    return report


_NAME_IN_TABLE: Final = re.compile(r'(<span class="th-sample-name" data-original-sn="([^"<>]+)">)([^<>]+)(</span>)')
"""A name in the first column of MultiQC's tables; its own data have no place for a link."""


def _link_pages(report: Path, pages: Mapping[str, str]) -> None:
    """Make names in the first column of tables links to their pages."""

    def linked(found: re.Match[str]) -> str:
        start, name, shown, end = found.groups()
        return f'{start}<a href="{pages[name]}">{shown}</a>{end}' if name in pages else found[0]

    text = _NAME_IN_TABLE.sub(linked, report.read_text(encoding="utf-8"))
    with atomic_path(report) as partial:
        partial.write_text(text, encoding="utf-8")
