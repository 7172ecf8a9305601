"""Segmented cells of Space Ranger 4, as the simulator writes them: read, held against spatialdata-io, and refused."""

import json
import shutil
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot import keys
from clearspot.errors import BadInputError
from clearspot.io.ingest import ingest_outs
from clearspot.io.layout import find_outs
from clearspot.io.outlines import Outlines, cell_numbers, read_outlines
from clearspot.io.preflight import check_outs
from tests.helpers.cell_outs import write_cell_outs

CELLS = "segmented_outputs/cell_segmentations.geojson"
NUCLEI = "segmented_outputs/nucleus_segmentations.geojson"
SCALES = "segmented_outputs/spatial/scalefactors_json.json"
MAPPINGS = "barcode_mappings.parquet"


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cell_outs(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def cells(outs: Path) -> ad.AnnData:
    return ingest_outs(outs, "s", unit="cells")[0]


@pytest.fixture
def spoilt(outs: Path, tmp_path: Path) -> Path:
    """A copy whose files may be changed."""
    return Path(shutil.copytree(outs, tmp_path / "outs"))


def edit(path: Path, change) -> None:
    """Change a JSON file."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps(change(content)))


def refusal(outs: Path) -> str:
    """The one problem that ingest and check both name."""
    with pytest.raises(BadInputError) as raised:
        ingest_outs(outs, "s", unit="cells")
    checked = check_outs(outs, "s", unit="cells")
    assert checked.status == "bad_input"
    assert tuple(checked.problems) == raised.value.problems
    (problem,) = raised.value.problems
    return f"{problem.file}: {problem.found}"


@pytest.mark.filterwarnings("ignore")
def test_values_are_those_of_spatialdata_io(outs: Path, cells: ad.AnnData) -> None:
    from spatialdata_io import visium_hd

    theirs = visium_hd(outs, dataset_id="d", load_segmentations_only=True, load_nucleus_segmentations=True)
    table = theirs.tables["cell_segmentations"]
    assert cells.obs_names.equals(table.obs_names)
    assert cells.var_names.equals(table.var_names)
    assert (cells.layers[keys.COUNTS] != table.X).nnz == 0
    polygons = theirs.shapes["d_cell_segmentations"].loc[cells.obs_names].geometry
    np.testing.assert_allclose(cells.obs[keys.CELL_AREA], polygons.area * 0.5**2, rtol=1e-9)
    centres = np.column_stack([polygons.centroid.x, polygons.centroid.y])
    np.testing.assert_allclose(cells.obsm[keys.SPATIAL], centres, atol=1e-6)
    nuclei = theirs.shapes["d_nucleus_segmentations"].geometry
    ours = cells.obs[keys.NUCLEUS_AREA].dropna()
    np.testing.assert_allclose(ours.loc[nuclei.index], nuclei.area * 0.5**2, rtol=1e-9)


def test_a_cell_has_the_counts_and_the_area_of_its_squares(outs: Path, cells: ad.AnnData) -> None:
    squares, _ = ingest_outs(outs, "s", bin_size_um=2)
    mappings = pd.read_parquet(outs / MAPPINGS).dropna(subset="cell_id").set_index("square_002um")["cell_id"]
    umi = pd.Series(np.asarray(squares.layers[keys.COUNTS].sum(axis=1)).ravel(), index=squares.obs_names)
    by_cell = umi.groupby(mappings.reindex(umi.index)).sum().reindex(cells.obs_names)
    ours = np.asarray(cells.layers[keys.COUNTS].sum(axis=1)).ravel()
    assert (ours >= by_cell).all()  # a cell at the tissue's edge has squares outside it too
    assert (ours == by_cell).mean() > 0.9
    np.testing.assert_allclose(cells.obs[keys.CELL_AREA], 4.0 * cells.obs[keys.N_SQUARES], rtol=1e-6)


def test_what_a_cell_is_called_and_measured_by(outs: Path) -> None:
    adata, record = ingest_outs(outs, "s", unit="cells")
    assert record.metrics["unit"] == adata.uns[keys.UNS][keys.UNIT] == "cells"
    assert record.metrics.get("bin_size_um") is None
    assert 0.5 < record.metrics["fraction_umi_in_cells"] <= 1
    assert adata.obs_names[0].startswith("cellid_")
    assert keys.ARRAY_ROW not in adata.obs
    assert check_outs(outs, "s", unit="cells").status == "ok"


def test_bins_are_read_by_default_and_the_cells_are_mentioned(outs: Path) -> None:
    layout = find_outs(outs, "s")
    assert layout.cells is None
    assert layout.bin_size_um == 8
    assert any("The output also has segmented_outputs; bins were read" in message.text for message in layout.messages)


def test_the_folder_of_cells_itself_is_read(outs: Path, cells: ad.AnnData) -> None:
    again, _ = ingest_outs(outs / "segmented_outputs", "s", unit="cells")
    assert again.obs_names.equals(cells.obs_names)


def test_nuclei_and_mappings_may_be_missing(spoilt: Path) -> None:
    (spoilt / NUCLEI).unlink()
    (spoilt / MAPPINGS).unlink()
    shutil.rmtree(spoilt / "binned_outputs")
    adata, record = ingest_outs(spoilt, "s", unit="cells")
    assert keys.HAS_NUCLEUS not in adata.obs
    assert keys.N_SQUARES not in adata.obs
    assert record.metrics["fraction_umi_in_cells"] is None
    assert sum("missing" in message.text for message in record.messages) == 2


def test_a_cell_without_a_nucleus_has_no_area_of_it(spoilt: Path) -> None:
    edit(spoilt / NUCLEI, drop_first)
    adata, _ = ingest_outs(spoilt, "s", unit="cells")
    lost = adata.obs.index[~adata.obs[keys.HAS_NUCLEUS]]
    assert "cellid_000000001-1" in lost
    assert adata.obs.loc[lost, keys.NUCLEUS_AREA].isna().all()


def drop_first(content):
    return {**content, "features": content["features"][1:]}


def empty_first(content):
    content["features"][0]["geometry"]["coordinates"] = []
    return content


def flatten_first(content):
    content["features"][0]["geometry"]["coordinates"] = [[[0, 0], [1, 1], [2, 2], [0, 0]]]
    return content


def repeat_first(content):
    return {**content, "features": [*content["features"], content["features"][0]]}


def shift_ids(content):
    for feature in content["features"]:
        feature["properties"]["cell_id"] += 10_000
    return content


def rename_ids(content):
    for feature in content["features"]:
        del feature["properties"]["cell_id"]
    return content


@pytest.mark.parametrize(
    ("file", "change", "found"),
    [
        (CELLS, drop_first, "no outline for 1 of the matrix's"),
        (CELLS, shift_ids, "no outline for"),
        (CELLS, rename_ids, "polygons without a cell_id"),
        (CELLS, empty_first, "1 empty polygons (cell_id 1)"),
        (CELLS, flatten_first, "1 polygons without an area (cell_id 1)"),
        (CELLS, repeat_first, "1 cells with two polygons"),
        (CELLS, lambda content: {"type": "FeatureCollection", "features": []}, "no polygons"),
        (NUCLEI, shift_ids, "no nucleus for any cell of the matrix"),
        (SCALES, lambda content: {**content, "microns_per_pixel": None}, "no microns_per_pixel"),
        (SCALES, lambda content: {**content, "microns_per_pixel": 1.5}, "times the area of their cells' squares"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_problem(spoilt: Path, file: str, change, found: str) -> None:
    edit(spoilt / file, change)
    assert found in refusal(spoilt)


@pytest.mark.parametrize("file", [CELLS, "segmented_outputs/spatial"])
def test_a_missing_part_is_refused(spoilt: Path, file: str) -> None:
    path = spoilt / file
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert refusal(spoilt) == f"{file}: no such file or folder"


def test_a_truncated_geojson_is_refused(spoilt: Path) -> None:
    path = spoilt / CELLS
    path.write_bytes(path.read_bytes()[:1000])
    assert "cannot be read" in refusal(spoilt)


def test_mappings_of_another_sample_are_refused(spoilt: Path) -> None:
    table = pd.read_parquet(spoilt / MAPPINGS)
    table[table["cell_id"] != "cellid_000000001-1"].to_parquet(spoilt / MAPPINGS)
    assert "no square for 1 of the matrix's" in refusal(spoilt)


def test_without_segmented_cells_the_bins_are_offered(spoilt: Path) -> None:
    shutil.rmtree(spoilt / "segmented_outputs")
    assert "no segmented cells" in refusal(spoilt)


def test_numbers_come_from_the_names() -> None:
    names = pd.Index(["cellid_000000012-1", "cellid_000000007", "s_008um_00000_00001-1"])
    assert cell_numbers(names).tolist() == [12, 7, -1]


def test_area_and_centroid_of_an_l(tmp_path: Path) -> None:
    ring = [[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2], [0, 0]]
    far = [[x + 1e5, y + 2e5] for x, y in ring]
    features = [
        {"geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"cell_id": 3}},
        {"geometry": {"type": "MultiPolygon", "coordinates": [[far[:-1]], [far[:3]]]}, "properties": {"cell_id": 5}},
    ]
    path = tmp_path / "cell_segmentations.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read_outlines(path, "s")
    np.testing.assert_allclose(found.areas(), [3, 3])
    np.testing.assert_allclose(found.centroids(), [[5 / 6, 5 / 6], [1e5 + 5 / 6, 2e5 + 5 / 6]], rtol=0, atol=1e-9)
    kept = Outlines.from_dict(found.take(np.array([1])).as_dict())
    assert kept.ids.tolist() == [5]
    np.testing.assert_array_equal(kept.rings()[0], far)
