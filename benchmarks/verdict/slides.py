"""Make a slide and take it through the steps on which the verdict rests, without denoising and super-resolution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anndata as ad
import numpy as np
from cases import Case
from PIL import Image
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.errors import BadInputError
from clearspot.graph.build import build_graph
from clearspot.io.ingest import ingest_outs
from clearspot.io.preflight.check import check_outs
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord
from clearspot.simulate.faults import Fault
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs
from clearspot.simulate.staining import Staining

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"

_WIDTH_UM: Final = {"v1": 2600.0, "v2": 2600.0, "hd": 1200.0}
_GENES: Final = (500, 2500)
"""Genes of a phantom, in turn: a panel, and something like a transcriptome."""
_HIRES_PX: Final = 2000
_SHUFFLED: Final = {"weak": 0.3, "middle": 0.6, "strong": 1.0}
_FEWEST_COUNTS: Final = 20
"""hvg_min_counts: sections are small."""


def records(case: Case) -> list[StepRecord]:
    """Records of the steps of one slide; the last one says why, where a step refused it."""
    done: list[StepRecord] = []
    try:
        for record in _steps(case):
            done.append(record)
    except BadInputError as error:
        done.append(StepRecord.bad_input(case.name, _STEPS[len(done) + (not _has_outs(case))], error.problems))
    return done


_STEPS: Final = ("check", "ingest", "qc", "graph")


def _has_outs(case: Case) -> bool:
    return bool(case.chemistry) or case.source.startswith("outs/")


def _steps(case: Case) -> Iterator[StepRecord]:
    with TemporaryDirectory(prefix="verdict-") as folder:
        if _has_outs(case):
            outs = _phantom(case, Path(folder)) if case.chemistry else DATA / case.source
            checked = check_outs(outs, case.name)
            yield checked
            if checked.status != "ok":
                return
            adata, record = ingest_outs(outs, case.name)
        else:
            adata, record = _section(case)
        if case.source and case.strength:
            _shuffle(adata, _SHUFFLED[case.strength], case.seed)
        yield record
        yield run_qc(adata, case.name, QCParams(hvg_min_counts=_FEWEST_COUNTS))
        yield build_graph(adata, case.name)


def _phantom(case: Case, folder: Path) -> Path:
    n_genes = _GENES[case.seed // 2 % 2]
    phantom = make_phantom(
        case.seed,
        width_um=_WIDTH_UM[case.chemistry],
        n_genes=n_genes,
        staining=Staining.drawn(case.seed),
    )
    files = write_outs(
        phantom,
        folder,
        chemistry=case.chemistry,
        sample=case.name,
        um_per_px=2.0,
        image=False,
        bin_sizes=(8,),
        mex=False,
        faults=[Fault(kind, case.strength) for kind in case.faults],
    )
    return files.outs


def _section(case: Case) -> tuple[ad.AnnData, StepRecord]:
    """A real section without an outs folder, as ingest would have left it."""
    whole = ad.read_h5ad(DATA / f"{case.source}.h5ad")
    counts = csr_matrix(whole.X).astype(np.int32)
    under = np.asarray(whole.obs.get(keys.IN_TISSUE, np.ones(whole.n_obs)), dtype=bool)
    kept = under & (np.diff(counts.indptr) > 0)
    scale = whole.uns.get("um_per_px") or whole.uns.get("um_per_unit") or _pitch_scale(whole)
    bin_um = whole.uns.get("bin_um")
    adata = ad.AnnData(obs=whole.obs.loc[kept, []], var=whole.var[[]], layers={keys.COUNTS: counts[kept]})
    adata.obsm[keys.SPATIAL] = np.asarray(whole.obsm[keys.SPATIAL], dtype=float)[kept, :2]
    adata.uns[keys.UNS] = {keys.MICRONS_PER_PIXEL: float(scale)}
    record = StepRecord(case.name, "ingest", metrics={"n_spots": int(kept.sum()), "microns_per_pixel": float(scale)})
    if bin_um is not None:
        adata.uns[keys.UNS][keys.BIN_SIZE_UM] = float(bin_um)
        record.metrics["bin_size_um"] = float(bin_um)
    outside = ~under
    if outside.any() and hasattr(keys, "OUTSIDE_TISSUE"):
        totals = np.asarray(counts[outside].sum(axis=1)).ravel()
        adata.uns[keys.UNS][keys.OUTSIDE_TISSUE] = {
            "xy": np.asarray(whole.obsm[keys.SPATIAL], dtype=float)[outside, :2],
            "counts": totals,
            "n_positions": np.ones(totals.size),
        }
    picture = DATA / f"{case.source}.jpg"
    if picture.is_file():
        adata.uns[keys.UNS_SPATIAL] = {"library": _picture(picture)}
    return adata, record


def _picture(path: Path) -> dict[str, Any]:
    Image.MAX_IMAGE_PIXELS = None  # a scan of 90 million pixels
    with Image.open(path) as image:
        scale = min(1.0, _HIRES_PX / max(image.size))
        size = (round(image.width * scale), round(image.height * scale))
        small = image.convert("RGB").resize(size, Image.Resampling.BOX)
    return {"images": {"hires": np.asarray(small)}, "scalefactors": {"tissue_hires_scalef": scale}, "metadata": {}}


def _pitch_scale(adata: ad.AnnData) -> float:
    """Micrometres per pixel of a Visium section that states the diameter of its spots alone."""
    from scipy.spatial import cKDTree

    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=float)[:, :2]
    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    return 100.0 / float(np.median(nearest))


def _shuffle(adata: ad.AnnData, share: float, seed: int) -> None:
    """Let a share of the spots change places."""
    rng = np.random.default_rng([seed, 17])
    moved = rng.choice(adata.n_obs, round(share * adata.n_obs), replace=False)
    order = np.arange(adata.n_obs)
    order[np.sort(moved)] = rng.permutation(moved)
    adata.layers[keys.COUNTS] = csr_matrix(adata.layers[keys.COUNTS])[order]
