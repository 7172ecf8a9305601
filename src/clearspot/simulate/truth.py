"""The truth beside a simulated sample: expected expression per spot, per fine bin and per cell, and the domains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from PIL import Image
from scipy import sparse

from clearspot.io.atomic import atomic_path, write_h5ad
from clearspot.record import write_json
from clearspot.simulate.arrays import SpotArray
from clearspot.simulate.capture import Capture, capture_operator
from clearspot.simulate.cells import CELL_TYPES, TYPE_NAMES
from clearspot.simulate.faults import Faults
from clearspot.simulate.genes import PROGRAMS, Panel
from clearspot.simulate.histology import Frame
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.pictures import write_picture
from clearspot.simulate.tissue import DOMAINS, GRID_UM

_AMOUNTS: Final = "programs"
_LOADINGS: Final = "loadings"

_COLOURS: Final = np.array(
    [
        *([255, 255, 255], [174, 199, 232], [255, 152, 80], [44, 140, 60], [214, 39, 40], [247, 182, 210]),
        *([148, 103, 189], [140, 86, 75], [227, 119, 194], [255, 220, 90], [23, 190, 207]),
    ],
    dtype=np.uint8,
)


def expected_expression(adata: ad.AnnData, genes: Sequence[str] | None = None) -> np.ndarray:
    """Expected counts from a truth file that stores them as amounts by program times loadings.

    Parameters
    ----------
    adata
        ``truth_bins_*.h5ad`` or ``truth_cells.h5ad``, or some rows of it.
    genes
        Names of the genes wanted (all, if none are given); a whole section at 2 µm is too large for all at once.

    Returns
    -------
    float32, observations x genes.
    """
    chosen = slice(None) if genes is None else adata.var_names.get_indexer_for(list(genes))
    amounts = sparse.csr_array(adata.obsm[_AMOUNTS])
    return np.asarray(amounts @ np.asarray(adata.varm[_LOADINGS])[chosen].T, dtype=np.float32)


def spot_truth(array: SpotArray, capture: Capture, panel: Panel, frame: Frame) -> ad.AnnData:
    """Truth of every spot that touches tissue.

    ``X``: counts to expect from the RNA under the spot on an ideal slide (CSR, float32). ``layers['mean']``: mean of
    the counts drawn, after diffusion, soup and uneven efficiency. ``obs``: ``domain``, ``in_tissue``,
    ``efficiency``; ``obsm['domains']``: shares of the spot's area.
    """
    touching = np.flatnonzero(capture.domains.any(axis=1))
    array, capture, loadings = array.take(touching), capture.take(touching), panel.loadings
    domains = pd.DataFrame(capture.domains, columns=list(DOMAINS), index=array.barcodes)
    obs = pd.DataFrame(
        {
            "in_tissue": capture.in_tissue,
            "array_row": array.row,
            "array_col": array.col,
            "domain": _main_domain(capture.domains),
            "efficiency": capture.efficiency,
        },
        index=array.barcodes,
    )
    return ad.AnnData(
        X=sparse.csr_matrix(capture.truth @ loadings, dtype=np.float32),
        obs=obs,
        var=panel.var,
        layers={"mean": sparse.csr_matrix(capture.measured @ loadings, dtype=np.float32)},
        obsm={"spatial": frame.to_pixels(array.x_um, array.y_um), "domains": domains},
        uns=_units(frame, capture),
    )


def bin_truth(phantom: Phantom, bins: SpotArray, capture: Capture, panel: Panel, frame: Frame) -> ad.AnnData:
    """Truth of every fine bin, as amounts by program (``obsm``, sparse) and loadings (``varm``): small at any size.

    Same units as :func:`spot_truth`: summed over the bins under a spot it is the spot's truth.
    """
    operator = capture_operator(bins, phantom.tissue.shape)
    amounts = (operator @ phantom.bins_to_cells()) @ sparse.csr_array(phantom.programs * capture.scale)
    full = bins.area_um2 / GRID_UM**2
    domain = phantom.tissue.domain.ravel()
    shares = np.stack([operator @ (domain == place + 1) / full for place in range(len(DOMAINS))], axis=1)
    obs = pd.DataFrame(
        {
            "in_tissue": shares.sum(axis=1) > 0.5,
            "array_row": bins.row,
            "array_col": bins.col,
            "domain": _main_domain(shares),
        },
        index=bins.barcodes,
    )
    return ad.AnnData(
        obs=obs,
        var=panel.var,
        obsm={"spatial": frame.to_pixels(bins.x_um, bins.y_um), _AMOUNTS: sparse.csr_matrix(amounts, dtype=np.float32)},
        varm={_LOADINGS: panel.loadings.T.astype(np.float32)},
        uns=_units(frame, capture) | {"bin_size_um": bins.size_um},
    )


def cell_truth(phantom: Phantom, capture: Capture, panel: Panel, frame: Frame) -> ad.AnnData:
    """Truth of every cell: type, domain, centre, amounts by program."""
    cells = phantom.cells
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical.from_codes(cells.kind, categories=list(TYPE_NAMES)),
            "domain": pd.Categorical.from_codes(cells.domain.astype(int) - 1, categories=list(DOMAINS)),
            "nucleus_um": np.array([kind.nucleus_um for kind in CELL_TYPES])[cells.kind],
        },
        index=[f"cell_{number:06d}" for number in range(len(cells))],
    )
    amounts = sparse.csr_matrix(phantom.programs * capture.scale, dtype=np.float32)
    return ad.AnnData(
        obs=obs,
        var=panel.var,
        obsm={"spatial": frame.to_pixels(cells.x_um, cells.y_um), _AMOUNTS: amounts},
        varm={_LOADINGS: panel.loadings.T.astype(np.float32)},
        uns=_units(frame, capture),
    )


def field_bins(phantom: Phantom, bin_um: int) -> SpotArray:
    """Square bins over the whole field of a phantom, row by row from the upper left (for slides without bins)."""
    shape = (int(phantom.height_um // bin_um), int(phantom.width_um // bin_um))
    row, col = (grid.ravel().astype(np.int32) for grid in np.mgrid[: shape[0], : shape[1]])
    names = np.array([f"b_{bin_um:03d}um_{r:05d}_{c:05d}" for r, c in zip(row, col, strict=True)])
    return SpotArray(names, row, col, (col + 0.5) * bin_um, (row + 0.5) * bin_um, float(bin_um), True, shape)


def write_truth(folder: Path, tables: dict[str, ad.AnnData], phantom: Phantom, faults: Faults | None = None) -> None:
    """Write the tables, a picture of the domains and a README into ``folder``; of a spoilt slide what was done to it.

    ``faults.json``: by kind of fault its strength and figures. ``fault_regions.csv``: barcode and fault of the spots
    that regional faults spoilt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_h5ad(table, folder / f"{name}.h5ad")
    write_picture(Image.fromarray(_COLOURS[phantom.tissue.domain]), folder / "domains.png")
    done = faults.done if faults else {}
    if faults and done:
        write_json(done, folder / "faults.json")
    if faults and faults.regions:
        spots = [(barcode, kind) for kind, barcodes in faults.regions.items() for barcode in barcodes]
        with atomic_path(folder / "fault_regions.csv") as partial:
            pd.DataFrame(spots, columns=["barcode", "fault"]).to_csv(partial, index=False)
    with atomic_path(folder / "README") as partial:
        partial.write_text(_readme(tables, phantom, done), encoding="utf-8")


def _main_domain(shares: np.ndarray) -> pd.Categorical:
    """Largest domain of each spot; missing where most of it is off tissue."""
    best = np.where(shares.sum(axis=1) > 0.5, shares.argmax(axis=1), -1)
    return pd.Categorical.from_codes(best, categories=list(DOMAINS))


def _units(frame: Frame, capture: Capture) -> dict[str, Any]:
    return {
        "simulated": True,
        "um_per_px": frame.um_per_px,
        "field_origin_px": [-frame.x0_um / frame.um_per_px, -frame.y0_um / frame.um_per_px],
        "umi_per_rna": capture.scale,
        "program_names": list(PROGRAMS),
    }


def _readme(tables: dict[str, ad.AnnData], phantom: Phantom, done: dict[str, dict[str, Any]]) -> str:
    lines = [
        "True expression of a simulated sample (clearspot simulate). This is not a real tissue.",
        f"seed {phantom.seed}, field {phantom.width_um:g} x {phantom.height_um:g} µm, {len(phantom.cells)} cells",
        f"image: {phantom.staining.described()}",
        *(f"simulated fault: {kind}, {figures}" for kind, figures in done.items()),
        "",
        "truth_spots.h5ad      X: expected counts on an ideal slide; layers['mean']: mean of the sampled counts",
        "truth_bins_*um.h5ad   the same truth on fine bins, as obsm['programs'] @ varm['loadings'].T",
        "truth_cells.h5ad      the same, cell by cell, with cell types",
        "domains.png           domain of each 2 µm bin of the field",
        "",
        "Read bins and cells with clearspot.simulate.truth.expected_expression(adata, genes).",
        "obsm['spatial'] is in pixels of the full-resolution image; bins summed over a spot give the spot's truth.",
        "",
        "Domains and their colours in domains.png (red, green, blue):",
        *(f"  {name:20s} {tuple(int(c) for c in _COLOURS[place])}" for place, name in enumerate(DOMAINS, start=1)),
        "",
        *(f"{name}: {table.n_obs} x {table.n_vars}" for name, table in tables.items()),
    ]
    return "\n".join(lines) + "\n"
