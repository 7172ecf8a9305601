"""The check refuses every folder that the ingest refuses: a sample that passed is not lost at the next step."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from clearspot.errors import BadInputError
from clearspot.io.ingest import ingest_outs
from clearspot.io.preflight import check_outs
from tests.helpers.outs_factory import MadeOuts, make_outs, write_h5, write_mex, write_positions

FILTERED = "filtered_feature_bc_matrix.h5"
RAW = "raw_feature_bc_matrix.h5"
POSITIONS = "tissue_positions_list.csv"


def rewrite_positions(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[MadeOuts], None]:
    return lambda made: write_positions(made.spatial / POSITIONS, change(made.positions), header=False)


def rewrite_matrix(name: str = FILTERED, **how: Any) -> Callable[[MadeOuts], None]:
    def spoil(made: MadeOuts) -> None:
        rows = made.in_tissue if name == FILTERED else np.ones(len(made.positions), dtype=bool)
        matrix = {"counts": made.counts[rows], "barcodes": made.positions.index[rows], "features": made.features}
        change = {key: value(matrix[key]) if key in matrix else value for key, value in how.items()}
        write_h5(made.root / name, **(matrix | change))

    return spoil


def edit_dataset(name: str, dataset: str, change: Callable[[Any], Any]) -> Callable[[MadeOuts], None]:
    def spoil(made: MadeOuts) -> None:
        with h5py.File(made.root / name, "r+") as h5:
            values = h5[f"matrix/{dataset}"][:]
            del h5[f"matrix/{dataset}"]
            h5[f"matrix/{dataset}"] = change(values)

    return spoil


def cut(name: str, size: int) -> Callable[[MadeOuts], None]:
    def spoil(made: MadeOuts) -> None:
        path = made.root / name
        path.write_bytes(path.read_bytes()[:size])

    return spoil


def scale_factors(**values: Any) -> Callable[[MadeOuts], None]:
    def spoil(made: MadeOuts) -> None:
        raw = {name: value for name, value in (made.scalefactors | values).items() if value is not ...}
        (made.spatial / "scalefactors_json.json").write_text(json.dumps(raw))

    return spoil


def mex_instead(features: Callable[[str], str]) -> Callable[[MadeOuts], None]:
    def spoil(made: MadeOuts) -> None:
        (made.root / FILTERED).unlink()
        rows = made.in_tissue
        folder = made.root / FILTERED.removesuffix(".h5")
        write_mex(folder, made.counts[rows], made.positions.index[rows], made.features)
        path = folder / "features.tsv.gz"
        path.write_bytes(gzip.compress(features(gzip.decompress(path.read_bytes()).decode()).encode()))

    return spoil


def remove(name: str) -> Callable[[MadeOuts], None]:
    return lambda made: (made.root / name).unlink()


SPOILT: dict[str, Callable[[MadeOuts], None]] = {
    "barcode without position": rewrite_positions(lambda table: table.drop(table.index[20])),
    "position twice": rewrite_positions(lambda table: pd.concat([table, table.iloc[20:21]])),
    "no tissue": rewrite_positions(lambda table: table.assign(in_tissue=0)),
    "tissue elsewhere": rewrite_positions(lambda table: table.assign(in_tissue=1 - table["in_tissue"])),
    "NaN among positions": rewrite_positions(lambda table: table.assign(pxl_row_in_fullres=np.nan)),
    "no position": rewrite_positions(lambda table: table.iloc[:0]),
    "barcode twice": rewrite_matrix(barcodes=lambda names: [names[1], *names[1:]]),
    "two libraries": rewrite_matrix(library_ids=("one", "two")),
    "no counts": rewrite_matrix(counts=lambda counts: counts * 0),
    "antibodies alone": rewrite_matrix(features=lambda table: table.assign(feature_type="Antibody Capture")),
    "peaks": rewrite_matrix(features=lambda table: table.assign(feature_type="Peaks")),
    "halves": rewrite_matrix(counts=lambda counts: counts / 2, data_dtype=np.float32),
    "yes and no instead of counts": rewrite_matrix(counts=lambda counts: counts > 0, data_dtype=bool),
    "names with zero bytes": edit_dataset(FILTERED, "features/name", lambda names: np.array([b"a\0b"] * len(names))),
    "negative": rewrite_matrix(counts=lambda counts: -counts),
    "halves in the raw matrix": rewrite_matrix(RAW, counts=lambda counts: counts / 2, data_dtype=np.float64),
    "indices of the raw matrix": edit_dataset(RAW, "indptr", lambda values: values[::-1].copy()),
    "features of the raw matrix": edit_dataset(RAW, "features/id", lambda values: values[:-1]),
    "raw matrix cut": cut(RAW, 3000),
    "raw matrix empty": cut(RAW, 0),
    "matrix cut": cut(FILTERED, 3000),
    "hires image cut": cut("spatial/tissue_hires_image.png", 500),
    "lowres image cut": cut("spatial/tissue_lowres_image.png", 100),
    "no scale factors": remove("spatial/scalefactors_json.json"),
    "no positions file": remove(f"spatial/{POSITIONS}"),
    "no diameter": scale_factors(spot_diameter_fullres=...),
    "no hires factor": scale_factors(tissue_hires_scalef=...),
    "lowres factor 0": scale_factors(tissue_lowres_scalef=0),
    "diameter as text": scale_factors(spot_diameter_fullres="89.5"),
    "scale NaN": scale_factors(microns_per_pixel=float("nan")),
    "features with commas": mex_instead(lambda text: text.replace("\t", ",")),
    "features of another matrix": mex_instead(lambda text: text + text),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_ingest_refuses_the_check_refuses(tmp_path: Path, spoil: Callable[[MadeOuts], None]) -> None:
    made = make_outs(tmp_path / "outs", raw=True)
    spoil(made)
    with pytest.raises(BadInputError):
        ingest_outs(made.root, "s")
    assert check_outs(made.root, "s").status == "bad_input"


ODD: dict[str, Callable[[MadeOuts], None]] = {
    "int64 counts": rewrite_matrix(data_dtype=np.int64),
    "uint8 counts": rewrite_matrix(data_dtype=np.uint8),
    "float64 counts": rewrite_matrix(data_dtype=np.float64),
    "positions as decimals": rewrite_positions(lambda table: table.astype(float)),
    "big-endian counts": rewrite_matrix(data_dtype=">i4"),
    "lone first word of the type": rewrite_matrix(features=lambda table: table.assign(feature_type="Gene")),
    "ids and symbols exchanged": rewrite_matrix(
        features=lambda table: table.rename(columns={"id": "name", "name": "id"})
    ),
    "barcodes of an aggregated run": rewrite_matrix(
        barcodes=lambda names: [name.removesuffix("-1") + "-2" for name in names]
    ),
    "fiducials 0": scale_factors(fiducial_diameter_fullres=0, hexagon_diameter=100, remark="text"),
    "no fiducials": scale_factors(fiducial_diameter_fullres=...),
    "type split by a tab": mex_instead(lambda text: text.replace("Gene Expression", "Gene\tExpression")),
    "library with slashes": rewrite_matrix(library_ids=("run/1 _x",)),
    "spots with names": lambda made: (
        rewrite_positions(lambda table: table.set_axis([f"hexagon_{i}" for i in range(len(table))]))(made),
        rewrite_matrix(barcodes=lambda names: [f"hexagon_{made.positions.index.get_loc(one)}" for one in names])(made),
        rewrite_matrix(RAW, barcodes=lambda names: [f"hexagon_{i}" for i in range(len(names))])(made),
    ),
    "barcodes without suffix": rewrite_matrix(barcodes=lambda names: [name.removesuffix("-1") for name in names]),
    "some barcodes without suffix": rewrite_matrix(
        barcodes=lambda names: [name.removesuffix("-1") if i % 2 else name for i, name in enumerate(names)]
    ),
}


@pytest.mark.parametrize("spoil", ODD.values(), ids=ODD)
def test_what_the_check_passes_is_ingested_as_it_is(tmp_path: Path, spoil: Callable[[MadeOuts], None]) -> None:
    made = make_outs(tmp_path / "outs", raw=True)
    expected, _ = ingest_outs(made.root, "s")
    spoil(made)
    assert check_outs(made.root, "s").problems == []
    adata, _ = ingest_outs(made.root, "s")
    np.testing.assert_array_equal(adata.layers["counts"].toarray(), expected.layers["counts"].toarray())
    np.testing.assert_array_equal(adata.obsm["spatial"], expected.obsm["spatial"])
    assert list(adata.var_names) == list(expected.var_names)
    adata.write_h5ad(tmp_path / "s.h5ad")


@pytest.mark.parametrize("size", [4, 24, 32, 48, 100])
def test_custom_bins_pass_and_are_ingested(tmp_path: Path, size: int) -> None:
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(size,), raw=True)
    record = check_outs(made.root, "s", bin_size_um=size)
    assert record.problems == []
    assert record.metrics["microns_per_pixel_from_pitch"] == pytest.approx(made.microns_per_pixel)
    assert record.metrics["scale_factors_fit_spots"] is True
    adata, _ = ingest_outs(made.root, "s", bin_size_um=size)
    assert adata.uns["clearspot"]["bin_size_um"] == size
    assert adata.uns["clearspot"]["microns_per_pixel"] == pytest.approx(made.microns_per_pixel)


def test_antibodies_with_any_names_are_ingested(tmp_path: Path) -> None:
    names = ["HLA-A/B/C", "_index", "CD3", "cd3", "anti human IgG"]
    made = make_outs(tmp_path / "outs", antibodies=len(names))
    features = made.features.assign(name=[*made.features["name"].iloc[: -len(names)], *names])
    rows = made.in_tissue
    write_h5(made.root / FILTERED, made.counts[rows], made.positions.index[rows], features, library_ids=["a/b"])
    assert check_outs(made.root, "s").problems == []
    adata, _ = ingest_outs(made.root, "s")
    adata.write_h5ad(tmp_path / "s.h5ad")
    back = ad.read_h5ad(tmp_path / "s.h5ad")
    assert list(back.obsm["protein"].columns) == ["HLA-A_B_C", "index", "CD3", "cd3-1", "anti_human_IgG"]
    np.testing.assert_array_equal(back.obsm["protein"].to_numpy(), made.counts[rows][:, -len(names) :])
    assert list(back.uns["clearspot"]["protein_names"]) == names
    assert list(back.uns["spatial"]) == list(back.obs["library_id"].unique()) == ["a_b"]
    assert back.uns["spatial"]["a_b"]["metadata"]["library_id"] == "a/b"
