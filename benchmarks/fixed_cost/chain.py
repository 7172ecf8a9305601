"""The pipeline's scripts on one section so small that hardly anything but their fixed cost is left."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "phantom_1"


@dataclass(frozen=True)
class Step:
    """One script and its arguments, read from and written to one folder.

    Parameters
    ----------
    name
        Name of the process.
    script
        File in ``bin``.
    arguments
        Everything after the script.
    torch
        Whether the step computes with PyTorch.
    """

    name: str
    script: str
    arguments: tuple[str, ...]
    torch: bool = False

    @property
    def command(self) -> list[str]:
        """Script and arguments, for an interpreter."""
        return [str(ROOT / "bin" / self.script), *self.arguments]


def simulate(folder: Path) -> None:
    """Simulate the section into ``folder``: some 150 spots of 200 genes, with an image; and a reference, as small."""
    (folder / "params.json").write_text(json.dumps({"input": str(folder / "samplesheet.csv"), "outdir": "results"}))
    size = ["--preset", "test", "--width-um", "1200", "--genes", "200"]
    (folder / "hd").mkdir()
    hd = ["--chemistry", "hd", "--width-um", "512", "--genes", "120"]
    for place, options in ((folder, size), (folder / "hd", hd)):
        command = [sys.executable, "-c", "from clearspot.cli import main; main()", "simulate", str(place), *options]
        subprocess.run(command, check=True, capture_output=True)


def steps(folder: Path) -> list[Step]:
    """All steps in the order in which they run; each reads what earlier ones wrote to ``folder``."""

    def out(step: str) -> tuple[str, str]:
        return "--outdir", str(folder / step)

    def of(step: str) -> tuple[str, ...]:
        return "--sample", SAMPLE, "--h5ad", str(folder / step / f"{SAMPLE}.h5ad")

    raw = ("--sample", SAMPLE, "--outs", str(folder / SAMPLE / "outs"), "--image", str(folder / SAMPLE / "image.tif"))
    sheet = (
        *("--samplesheet", str(folder / "samplesheet.csv"), "--schema", str(ROOT / "assets" / "schema_input.json")),
        *("--params", str(folder / "params.json"), "--params-schema", str(ROOT / "nextflow_schema.json")),
    )
    histology = ("--histology", str(folder / "histology" / f"{SAMPLE}.histology.npz"))
    hd = folder / "hd" / SAMPLE
    reference = ("--sample", "hd", "--outs", str(hd / "outs"), "--image", str(hd / "image.tif"), "--bin-um", "16")
    prepared = ("--reference", str(folder / "reference" / "hd.reference.h5ad"), "--bin-um", "16")
    model = ("--checkpoint", str(folder / "train" / f"{SAMPLE}.diffst.pt"))
    records = tuple(
        argument for step in ("check", "ingest", "qc", "graph", "dusted", "domains") for argument in
        ("--records", str(folder / step))
    )  # fmt: skip
    short = ("--preset", "test", "--n-genes", "20")
    training = ("--steps-mean", "1", "--steps-diffusion", "1")
    return [
        Step("SAMPLESHEET_CHECK", "samplesheet_check.py", (*sheet, *out("sheet"))),
        Step("SPACERANGER_CHECK", "spaceranger_check.py", (*raw, *out("check"))),
        Step("REFERENCE_PREPARE", "reference_prepare.py", (*reference, *out("reference"))),
        Step("SPACERANGER_INGEST", "spaceranger_ingest.py", (*raw, *out("ingest"))),
        Step("SPOT_QC", "spot_qc.py", (*of("ingest"), "--n-hvgs", "50", *out("qc"))),
        Step("SPATIAL_GRAPH", "spatial_graph.py", (*of("qc"), *out("graph"))),
        Step("DUSTED_DENOISE", "dusted_denoise.py", (*of("graph"), "--epochs", "1", *out("dusted")), torch=True),
        Step("SPATIAL_DOMAINS", "spatial_domains.py", (*of("dusted"), "--moran-n-perms", "0", *out("domains"))),
        Step("SPATIALDATA_EXPORT", "spatialdata_export.py", (*of("domains"), *out("export"))),
        Step("HISTOLOGY_EMBED", "histology_embed.py", (*of("domains"), *raw[4:], *out("histology"))),
        Step(
            "DIFFUSION_PRETRAIN",
            "diffusion_pretrain.py",
            (*prepared, "--preset", "test", "--steps-pretrain", "1", *out("pretrain")),
            torch=True,
        ),
        Step(
            "DIFFUSION_TRAIN",
            "diffusion_train.py",
            (*of("domains"), *histology, *short, *training, *out("train")),
            torch=True,
        ),
        Step(
            "DIFFUSION_SAMPLE",
            "diffusion_sample.py",
            (*of("domains"), *histology, *model, *short, "--samples", "1", *out("sample")),
            torch=True,
        ),
        Step("SAMPLE_REPORT", "sample_report.py", (*of("domains"), *records, *out("report"))),
        Step("COHORT_REPORT", "cohort_report.py", (*records, *out("cohort"))),
    ]
