import anndata as ad
import numpy as np
import pandas as pd
import pytest
import tifffile
from matplotlib.image import imread
from ome_types import from_xml

from clearspot.diffst.estimate.evidence import Evidence
from clearspot.diffst.generate.uncertainty import Summary
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.output.gene_stack import write_gene_stack
from clearspot.diffst.output.maps import write_maps
from clearspot.diffst.output.superres_file import write_superres

GRID = FineGrid(20.0, 320, 264, (0.0, 0.0), 0.5)


@pytest.fixture
def superres(tmp_path):
    path = tmp_path / "s1.superres.h5ad"
    values = np.arange(GRID.n_bins * 2, dtype=np.float32).reshape(GRID.n_bins, 2)
    codes = np.full(GRID.shape, Evidence.GAP, dtype=np.uint8)
    codes[0] = Evidence.OFF_TISSUE
    var = pd.DataFrame(index=["A/B", "C"])
    write_superres(path, "s1", GRID, codes, var, [(slice(0, 2), Summary(*[values] * 5))])
    return path


def test_a_map_has_its_values_scale_and_smaller_copies(superres, tmp_path):
    files = write_maps(superres, ["A/B"], tmp_path / "maps")
    assert [file.name for file in files] == ["A_B.ome.tif", "A_B.png"]
    expected = ad.read_h5ad(superres).layers["mean"][:, 0].reshape(GRID.n_rows - 1, GRID.n_cols)
    with tifffile.TiffFile(files[0]) as tiff:
        levels = tiff.series[0].levels
        assert [level.shape for level in levels] == [GRID.shape, (160, 132)]
        full, half = levels[0].asarray(), levels[1].asarray()
        assert 'PhysicalSizeX="20.0"' in tiff.ome_metadata
    np.testing.assert_array_equal(full[1:], expected)
    assert np.isnan(full[0]).all()
    np.testing.assert_allclose(half[1, 0], full[2:4, :2].mean(), rtol=1e-6)


def test_a_picture_is_transparent_off_tissue(superres, tmp_path):
    picture = imread(write_maps(superres, ["C"], tmp_path / "maps")[1])
    assert picture.shape == (*GRID.shape, 4)
    assert (picture[0, :, 3] == 0).all()
    assert (picture[1:, :, 3] == 1).all()


def test_a_stack_has_every_gene_as_a_channel(superres, tmp_path):
    path = write_gene_stack(superres, tmp_path / "maps" / "s1.superres.ome.tif")
    bins = ad.read_h5ad(superres)
    with tifffile.TiffFile(path) as tiff:
        (series,) = tiff.series
        assert (series.axes, series.shape) == ("CYX", (2, *GRID.shape))
        stack = series.asarray()
        pixels = from_xml(tiff.ome_metadata).images[0].pixels
    assert [channel.name for channel in pixels.channels] == ["A/B", "C"]
    assert (pixels.physical_size_x, pixels.physical_size_x_unit.value) == (20.0, "µm")
    np.testing.assert_array_equal(stack[:, 1:].reshape(2, -1).T, bins.layers["mean"])
    assert np.isnan(stack[:, 0]).all()


def test_genes_that_the_file_has_not_get_no_map(superres, tmp_path):
    assert write_maps(superres, ["absent"], tmp_path / "maps") == []
