import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from clearspot import keys
from clearspot.diffst.data.reference import XENIUM_UM_PER_PX, from_cells, from_visium_hd, read_xenium
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.errors import BadInputError


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def hd_section(rng, side=30, um_per_px=0.5, turn_degrees=0.3, mirrored=True, first=(100, 40)):
    """Bins of 8 um whose array starts at row 100 and column 40; columns run to the left, and the slide is turned."""
    row, col = (index.ravel() + start for index, start in zip(np.mgrid[:side, :side], first, strict=True))
    turn = np.deg2rad(turn_degrees)
    across, down = (-1 if mirrored else 1) * 8.0 * col, 8.0 * row
    x, y = across * np.cos(turn) - down * np.sin(turn), across * np.sin(turn) + down * np.cos(turn)
    counts = sparse.csr_matrix(rng.poisson(2, (side**2, 3)).astype(np.int32))
    return ad.AnnData(
        obs=pd.DataFrame(
            {keys.ARRAY_ROW: row, keys.ARRAY_COL: col},
            index=[f"s_008um_{r:05}_{c:05}-1" for r, c in zip(row, col, strict=True)],
        ),
        var=pd.DataFrame(index=["a", "b", "c"]),
        layers={keys.COUNTS: counts},
        obsm={keys.SPATIAL: np.column_stack([x, y]) / um_per_px + 4000},
    )


def blocks(adata, side, times):
    """Counts in blocks of bins, ``(rows, columns, genes)``, by reshaping."""
    maps = adata.layers[keys.COUNTS].toarray().reshape(side, side, -1)
    return maps.reshape(side // times, times, side // times, times, -1).sum(axis=(1, 3))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("bin_um", "times"), [(8.0, 1), (4.0, 1), (16.0, 2), (18.0, 2), (20.0, 2), (22.0, 3), (24.0, 3)]
)
def test_hd_bins_are_sums_of_whole_measured_ones(rng, bin_um, times, mirrored):
    adata = hd_section(rng, mirrored=mirrored)

    reference = from_visium_hd(adata, bin_um, hd_bin_um=8.0)

    assert reference.grid.bin_um == 8.0 * times
    assert (reference.grid.n_rows % 8, reference.grid.n_cols % 8) == (0, 0)
    maps = reference.counts.toarray().reshape(*reference.grid.shape, 3)
    np.testing.assert_array_equal(maps[: 30 // times, : 30 // times], blocks(adata, 30, times))
    assert maps.sum() == adata.layers[keys.COUNTS].sum()
    assert list(reference.genes) == ["a", "b", "c"]
    assert reference.measured_um == 8.0
    tissue = np.zeros(reference.grid.shape, bool)
    tissue[: 30 // times, : 30 // times] = True
    np.testing.assert_array_equal(reference.tissue, tissue)


@pytest.mark.parametrize("mirrored", [False, True])
def test_hd_bins_lie_in_the_image_where_their_parts_do(rng, mirrored):
    adata = hd_section(rng, mirrored=mirrored)
    reference = from_visium_hd(adata, 16.0, hd_bin_um=8.0)

    centres = np.column_stack([reference.grid.centres_px(), np.ones(reference.grid.n_bins)])
    found = (reference.to_image @ centres.T)[:2].T.reshape(*reference.grid.shape, 2)

    expected = adata.obsm[keys.SPATIAL].reshape(15, 2, 15, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(found[:15, :15], expected, atol=1e-6)


def test_hd_array_is_read_from_the_barcodes_where_obs_lacks_it(rng):
    adata = hd_section(rng)
    one = from_visium_hd(adata, 16.0, hd_bin_um=8.0)
    del adata.obs[keys.ARRAY_ROW]
    shuffled = adata[rng.permutation(adata.n_obs)].copy()

    other = from_visium_hd(shuffled, 16.0, hd_bin_um=8.0)

    assert other.grid == one.grid
    np.testing.assert_array_equal(other.counts.toarray(), one.counts.toarray())
    np.testing.assert_allclose(other.to_image, one.to_image, atol=1e-6)


def test_hd_bins_without_a_place_in_the_array_are_refused(rng):
    adata = hd_section(rng)
    del adata.obs[keys.ARRAY_ROW]
    adata.obs_names = [f"bin_{number}" for number in range(adata.n_obs)]
    with pytest.raises(BadInputError, match="no row and column for bin bin_0"):
        from_visium_hd(adata, 16.0, hd_bin_um=8.0)


@pytest.mark.parametrize(("pixels", "fits"), [(10.0, True), (40.0, False)])
def test_hd_positions_follow_the_array_to_within_a_bin(rng, pixels, fits):
    adata = hd_section(rng)
    adata.obsm[keys.SPATIAL][17] += pixels
    if fits:
        assert from_visium_hd(adata, 16.0, hd_bin_um=8.0).grid.bin_um == 16.0
        return
    with pytest.raises(BadInputError, match="bins away from their array row and column"):
        from_visium_hd(adata, 16.0, hd_bin_um=8.0)


def test_hd_bins_in_a_line_are_refused(rng):
    with pytest.raises(BadInputError, match="single line"):
        from_visium_hd(hd_section(rng)[:30].copy(), 16.0, hd_bin_um=8.0)


def test_a_smaller_image_is_met_at_its_own_size(rng):
    adata = hd_section(rng)
    whole = from_visium_hd(adata, 16.0, hd_bin_um=8.0)
    adata.uns[keys.UNS] = {keys.IMAGE: {keys.PIXELS_PER_FULLRES_PIXEL: 0.25}}
    smaller = from_visium_hd(adata, 16.0, hd_bin_um=8.0)
    np.testing.assert_allclose(smaller.to_image[:2], whole.to_image[:2] / 4)


def test_a_cell_is_shared_among_bins_by_area():
    grid = FineGrid(10.0, 8, 8, (0.0, 0.0), 1.0)
    counts = sparse.csr_array(np.array([[12.0], [4.0]]))

    reference = from_cells([(40.0, 35.0), (65.0, 65.0)], [60.0, np.nan], counts, pd.Index(["a"]), grid)

    maps = reference.counts.toarray().reshape(8, 8)
    np.testing.assert_allclose(maps[3, 3:5], [6, 6], rtol=1e-5)
    assert maps[6, 6] == pytest.approx(4, rel=1e-5)


@pytest.fixture
def xenium(tmp_path, rng):
    """A Xenium folder of 30 cells and 3 genes with a control, whose transcripts lie inside their cells."""
    counts = rng.poisson(4, (30, 4)).astype(np.int32)
    centres = rng.uniform(20, 180, (30, 2))
    cell_id = [f"aaaa-{number}" for number in range(30)]
    names = ["EPCAM", "CD3E", "ACTA2", "NegControlProbe_00031"]
    matrix = sparse.csr_matrix(counts)
    with h5py.File(tmp_path / "cell_feature_matrix.h5", "w") as file:
        group = file.create_group("matrix")
        group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
        group["shape"] = np.array([4, 30])
        group["barcodes"] = np.array(cell_id, dtype="S")
        features = group.create_group("features")
        features["id"], features["name"] = np.array([f"ENSG{n}" for n in range(4)], "S"), np.array(names, "S")
        kinds = ["Gene Expression"] * 3 + ["Negative Control Probe"]
        features["feature_type"], features["genome"] = np.array(kinds, "S"), np.array(["GRCh38"] * 4, "S")
    shuffled = rng.permutation(30)
    table = pd.DataFrame(
        {"cell_id": cell_id, "x_centroid": centres[:, 0], "y_centroid": centres[:, 1], "cell_area": 50.0}
    )
    table.iloc[shuffled].to_parquet(tmp_path / "cells.parquet")
    cell, gene = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.ravel(), axis=1)
    transcripts = pd.DataFrame(
        {
            "x_location": (centres[cell, 0] + rng.uniform(-1, 1, len(cell))).astype(np.float32),
            "y_location": (centres[cell, 1] + rng.uniform(-1, 1, len(cell))).astype(np.float32),
            "feature_name": np.array(names)[gene],
            "qv": 40.0,
        }
    )
    poor = transcripts.head(5).assign(qv=10.0)
    pd.concat([transcripts, poor]).to_parquet(tmp_path / "transcripts.parquet", row_group_size=100)
    return tmp_path, counts, centres


@pytest.mark.parametrize("source", ["cells", "transcripts"])
def test_xenium_counts_of_genes_lie_where_the_cells_are(xenium, source):
    folder, counts, centres = xenium

    reference = read_xenium(folder, "x1", 20.0, source=source)

    order = reference.genes.get_indexer(["EPCAM", "CD3E", "ACTA2"])
    assert len(reference.genes) == 3
    np.testing.assert_allclose(reference.counts.sum(axis=0)[order], counts[:, :3].sum(axis=0), rtol=1e-5)
    centroid = reference.counts.T @ reference.grid.centres_px() / reference.counts.sum(axis=0)[:, None]
    expected = counts[:, :3].T @ centres / counts[:, :3].sum(axis=0)[:, None] / XENIUM_UM_PER_PX
    np.testing.assert_allclose(centroid[order], expected, atol=4 / XENIUM_UM_PER_PX)


def test_older_versions_write_names_as_bytes(xenium):
    folder, *_ = xenium
    as_text = [read_xenium(folder, "x1", 20.0, source=source) for source in ("cells", "transcripts")]
    for name, column in (("cells", "cell_id"), ("transcripts", "feature_name")):
        path = folder / f"{name}.parquet"
        table = pd.read_parquet(path)
        table[column] = table[column].str.encode("utf-8")
        table.to_parquet(path)

    as_bytes = [read_xenium(folder, "x1", 20.0, source=source) for source in ("cells", "transcripts")]

    for first, second in zip(as_text, as_bytes, strict=True):
        assert list(first.genes) == list(second.genes)
        np.testing.assert_allclose(first.counts.toarray(), second.counts.toarray(), rtol=1e-5)


def test_transcripts_are_preferred_where_they_are(xenium):
    folder, *_ = xenium

    whole = read_xenium(folder, "x1", 20.0)
    (folder / "transcripts.parquet").unlink()
    split = read_xenium(folder, "x1", 20.0)

    assert (whole.counts.data % 1 == 0).all()
    assert (split.counts.data % 1 != 0).any()


def test_cells_of_another_run_are_refused(xenium):
    folder, *_ = xenium
    table = pd.read_parquet(folder / "cells.parquet")
    table.iloc[:20].to_parquet(folder / "cells.parquet")

    with pytest.raises(BadInputError, match="10 of 30 cells"):
        read_xenium(folder, "x1", 20.0, source="cells")


@pytest.mark.parametrize(("name", "source"), [("cells.parquet", "cells"), ("transcripts.parquet", "transcripts")])
def test_a_broken_or_absent_table_is_named(xenium, name, source):
    folder, *_ = xenium
    (folder / name).write_bytes(b"PAR1 no more")
    with pytest.raises(BadInputError, match=name):
        read_xenium(folder, "x1", 20.0, source=source)

    (folder / name).unlink()
    with pytest.raises(BadInputError, match=name):
        read_xenium(folder, "x1", 20.0, source=source)
