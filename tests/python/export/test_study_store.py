import zipfile

import anndata as ad
import matplotlib as mpl
import numpy as np
import pytest
import spatialdata as sd
from spatialdata.transformations import get_transformation

from clearspot.dusted.params import DustedParams
from clearspot.errors import BadInputError
from clearspot.export.study_store import study_to_spatialdata, write_study_spatialdata
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.studies import made_section, write_sections

SAMPLES = ("a", "b")


def pictured(sample: str, seed: int, um_per_px: float | None) -> ad.AnnData:
    """A section with a reduced picture; its first three spots failed quality control."""
    adata = made_section(sample, seed=seed, batch="1")
    adata.obs["qc_pass"] = np.arange(adata.n_obs) >= 3
    adata.uns["spatial"][sample] = {
        "images": {"hires": np.full((130, 120, 3), 200, dtype=np.uint8)},
        "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 60.0},
    }
    adata.uns["clearspot"] = {} if um_per_px is None else {"microns_per_pixel": um_per_px}
    return adata


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The second section has no scale."""
    return write_sections(tmp_path_factory.mktemp("sections"), pictured("a", 1, 0.5), pictured("b", 2, None))


@pytest.fixture(scope="module")
def study(files, tmp_path_factory) -> ad.AnnData:
    folder = tmp_path_factory.mktemp("study")
    params = StudyParams(integration="none", n_domains=3)
    write_study(integrate_study(files, "both", params, DustedParams()), "both", folder)
    return ad.read_h5ad(folder / "both.h5ad")


@pytest.fixture(scope="module")
def read_back(study, files, tmp_path_factory) -> sd.SpatialData:
    folder = tmp_path_factory.mktemp("zarr")
    record = write_study_spatialdata(study, "both", files, folder / "both.zarr.zip")
    assert record.metrics["store_bytes"] == (folder / "both.zarr.zip").stat().st_size
    with zipfile.ZipFile(folder / "both.zarr.zip") as archive:
        archive.extractall(folder / "both.zarr")
    return sd.read_zarr(folder / "both.zarr")


def test_the_store_has_every_section(read_back):
    assert set(read_back.shapes) == {"a_spots", "b_spots"}
    assert set(read_back.images) == {"a_hires", "b_hires"}


def test_each_section_has_a_frame_of_its_own(read_back):
    assert set(read_back.coordinate_systems) == {"a", "b"}
    of_a = get_transformation(read_back.shapes["a_spots"], "a").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(of_a @ [200, 100, 1], [100, 50, 1])
    picture = get_transformation(read_back.images["b_hires"], "b").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(picture @ [20, 10, 1], [200, 100, 1])


def test_the_table_is_that_of_the_study(read_back, study):
    table = read_back.tables["table"]
    assert list(table.obs_names) == list(study.obs_names)
    assert list(table.obs["domain_study"]) == list(study.obs["domain_study"])
    np.testing.assert_array_equal(table.obsm["X_study"], study.obsm["X_study"])
    assert list(table.uns["domain_study_colors"]) == list(study.uns["domain_study_colors"])


def test_spots_that_failed_are_in_neither_shapes_nor_table(read_back, study):
    assert len(read_back.shapes["a_spots"]) == len(read_back.shapes["b_spots"]) == 141
    assert read_back.tables["table"].n_obs == study.n_obs == 282


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_table_annotates_the_shapes(read_back, study, sample):
    """Each row of the table is at the place that the study has for it."""
    shapes, table = sd.join_spatialelement_table(
        sdata=read_back, spatial_element_names=f"{sample}_spots", table_name="table", how="inner"
    )
    circles = shapes[f"{sample}_spots"].loc[table.obs["spot_id"]].geometry
    np.testing.assert_allclose(np.column_stack([circles.x, circles.y]), study[table.obs_names].obsm["spatial"])
    assert set(table.obs["sample_id"]) == {sample}


def test_expression_is_on_one_scale(read_back, files):
    """The two sections have other depths; log1p of counts over one size factor, the median spot of both."""
    table = read_back.tables["table"]
    counts = np.vstack([ad.read_h5ad(path)[3:].layers["counts"].toarray() for path in files])
    totals = counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table.X.toarray(), np.log1p(counts / totals * np.median(totals)), rtol=1e-5)


def test_the_order_of_the_files_makes_no_difference(study, files):
    forward, backward = (study_to_spatialdata(study, "both", order) for order in (files, files[::-1]))
    np.testing.assert_array_equal(forward.tables["table"].X.toarray(), backward.tables["table"].X.toarray())
    assert list(forward.tables["table"].obs["region"]) == list(backward.tables["table"].obs["region"])


def test_names_that_differ_by_case_are_kept_apart(study, files, tmp_path):
    renamed = study.copy()
    renamed.obs["sample_id"] = renamed.obs["sample_id"].map({"a": "B", "b": "b"})
    other = ad.read_h5ad(files[0])
    other.obs["sample_id"] = "B"
    other.write_h5ad(tmp_path / "upper.h5ad")
    data = study_to_spatialdata(renamed, "both", [tmp_path / "upper.h5ad", files[1]])
    assert set(data.shapes) == {"B_spots", "b-1_spots"}


def test_spatialdata_plot_draws_a_panel_for_each_section(read_back):
    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import spatialdata_plot  # noqa: F401  (adds .pl)

    axes = (
        read_back.pl.render_shapes("a_spots", color="domain_study")
        .pl.render_shapes("b_spots", color="domain_study")
        .pl.show(coordinate_systems=["b", "a"], return_ax=True, show=False)
    )
    assert [axis.get_title() for axis in axes] == ["b", "a"]
    plt.close("all")


@pytest.mark.parametrize("column", ["sample_id", "barcode"])
def test_a_file_that_is_no_study_is_refused(study, files, column):
    other = study.copy()
    del other.obs[column]
    with pytest.raises(BadInputError, match=rf"no column obs\['{column}'\]"):
        study_to_spatialdata(other, "both", files)


def test_a_section_without_a_file_is_named(study, files):
    with pytest.raises(BadInputError, match="no file of 1 sections, for example b"):
        study_to_spatialdata(study, "both", files[:1])


def test_a_file_that_the_study_was_not_made_from_is_refused(study, files, tmp_path):
    other = ad.read_h5ad(files[0])[:100].copy()
    other.write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(BadInputError, match="44 spots of a that are not in its file"):
        study_to_spatialdata(study, "both", [tmp_path / "a.h5ad", files[1]])


def test_a_gene_that_a_file_lacks_is_named(study, files, tmp_path):
    other = ad.read_h5ad(files[0])[:, 1:].copy()
    other.write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(BadInputError, match="1 genes of a that are not in its file, for example gene_0"):
        study_to_spatialdata(study, "both", [tmp_path / "a.h5ad", files[1]])
