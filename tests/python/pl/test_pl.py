"""Maps: what stands where, in which colours."""

import anndata as ad
import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import EllipseCollection, QuadMesh
from matplotlib.colors import to_hex

import clearspot
from clearspot.display.palette import FAIL, PASS, QUALITATIVE
from clearspot.errors import BadInputError
from clearspot.io.denoised_file import read_denoised, write_rows
from clearspot.pl.drawing import MISSING
from clearspot.pl.geometry import geometry_of


def spots_of(ax):
    (spots,) = [one for one in ax.collections if isinstance(one, EllipseCollection)]
    return spots


def colours_of(ax):
    ax.figure.canvas.draw()
    return [to_hex(colour).upper() for colour in spots_of(ax).get_facecolor()]


def test_spots_stand_where_they_are_in_their_true_size(denoised):
    ax = clearspot.pl.spots(denoised, "total_counts")
    spots = spots_of(ax)
    assert np.array_equal(spots.get_offsets(), denoised.obsm["spatial"])
    assert np.array_equal(spots.get_array(), denoised.obs["total_counts"])
    (library,) = denoised.uns["spatial"].values()
    assert spots.get_widths() == pytest.approx(library["scalefactors"]["spot_diameter_fullres"])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    inside = (denoised.obsm["spatial"] > [ax.get_xlim()[0], ax.get_ylim()[1]]).all()
    assert inside
    assert (denoised.obsm["spatial"] < [ax.get_xlim()[1], ax.get_ylim()[0]]).all()


def test_the_picture_lies_under_the_spots_in_their_pixels(denoised):
    ax = clearspot.pl.spots(denoised, "total_counts")
    (library,) = denoised.uns["spatial"].values()
    height, width = library["images"]["hires"].shape[:2]
    factor = library["scalefactors"]["tissue_hires_scalef"]
    assert ax.images[0].get_extent() == pytest.approx((0, width / factor, height / factor, 0))
    assert not clearspot.pl.spots(denoised, "total_counts", image=False).images


def test_the_scale_bar_is_as_long_as_it_says(denoised):
    ax = clearspot.pl.spots(denoised, "total_counts")
    (bar,) = [one for one in ax.artists if hasattr(one, "size_bar")]
    um = float(bar.txt_label.get_text().removesuffix(" µm"))
    length = bar.size_bar.get_children()[0].get_width() * denoised.uns["clearspot"]["microns_per_pixel"]
    assert length == pytest.approx(um)
    del denoised.uns["clearspot"]["microns_per_pixel"]
    assert not clearspot.pl.spots(denoised, "total_counts").artists


def test_flags_have_the_colours_of_the_page(denoised):
    found = colours_of(clearspot.pl.spots(denoised, "qc_pass"))
    assert found == [PASS.upper() if passed else FAIL.upper() for passed in denoised.obs["qc_pass"]]


def test_genes_start_at_zero_on_a_logarithmic_scale(denoised):
    gene = denoised.var_names[0]
    spots = spots_of(clearspot.pl.spots(denoised, gene))
    counts = denoised.layers["counts"][:, 0].toarray().ravel()
    assert np.array_equal(spots.get_array(), counts)
    assert spots.norm.vmin == 0
    assert spots.norm.vmax == pytest.approx(np.percentile(counts, 99.5))
    middle = np.expm1(np.log1p(spots.norm.vmax) / 2)
    assert float(spots.norm(middle)) == pytest.approx(0.5)


def test_limits_can_be_given(denoised):
    norm = spots_of(clearspot.pl.spots(denoised, "total_counts", vmin=10, vmax=20)).norm
    assert (norm.vmin, norm.vmax) == (10, 20)


def test_before_and_after_share_one_scale_and_spots_without_value_are_grey(denoised):
    gene = str(denoised.var_names[denoised.var["dusted_modelled"]][0])
    axes = clearspot.pl.genes(denoised, gene)
    assert axes.shape == (1, 2)
    before, after = (spots_of(ax) for ax in axes[0])
    assert before.norm is after.norm
    assert after.get_array().mask.tolist() == (~denoised.obs["qc_pass"]).tolist()
    grey = [colour == MISSING.upper() for colour in colours_of(axes[0, 1])]
    assert grey == (~denoised.obs["qc_pass"]).tolist()
    assert [ax.get_title() for ax in axes[0]] == [f"{gene}, measured", f"{gene}, denoised"]


def test_genes_on_given_axes(denoised):
    axes = plt.subplots(2, 2)[1]
    names = denoised.var_names[denoised.var["dusted_modelled"]][:2].tolist()
    assert clearspot.pl.genes(denoised, names, axes=axes) is axes
    with pytest.raises(ValueError, match=r"shape \(1, 2\), not \(2, 2\)"):
        clearspot.pl.genes(denoised, names[0], axes=axes)


def test_domains_have_the_colours_that_the_file_keeps_or_those_of_the_page(denoised):
    codes = denoised.obs["domain_gmm"].cat.codes.to_numpy()
    ax = clearspot.pl.domains(denoised)
    expected = [MISSING if code < 0 else QUALITATIVE[code] for code in codes]
    assert colours_of(ax) == [colour.upper() for colour in expected]
    kept = ["#111111", "#222222", "#333333"]
    denoised.uns["domain_gmm_colors"] = np.array(kept)
    assert colours_of(clearspot.pl.domains(denoised)) == [
        (MISSING if code < 0 else kept[code]).upper() for code in codes
    ]
    chosen = colours_of(clearspot.pl.domains(denoised, palette={"2": "#ABCDEF"}))
    assert {chosen[n] for n in np.flatnonzero(codes == 1)} == {"#ABCDEF"}


def test_any_column_of_labels_can_be_drawn(denoised):
    denoised.obs["layer"] = pd.Categorical(np.where(np.arange(denoised.n_obs) < 9, "L1", "L2"))
    ax = clearspot.pl.domains(denoised, "layer")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["L1", "L2"]
    assert clearspot.pl.domains(denoised, "layer", legend=False, title="x").get_title() == "x"


def test_the_legend_names_what_has_no_name(denoised):
    ax = clearspot.pl.spots(denoised, "qc_reason")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["none", "qc_min_counts"]


def test_super_resolved_bins_stand_where_they_are(finer):
    adata = finer.read()
    gene = str(adata.var_names[0])
    ax = clearspot.pl.superres(finer, gene)
    (mesh,) = [one for one in ax.collections if isinstance(one, QuadMesh)]
    values = mesh.get_array()
    drawn = np.flatnonzero(~np.ma.getmaskarray(np.ma.masked_invalid(values)).ravel())
    assert len(drawn) == adata.n_obs
    corners = mesh.get_coordinates()
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    assert np.allclose(centres.reshape(-1, 2)[drawn], adata.obsm["spatial"], atol=1e-6)
    assert np.allclose(np.asarray(values).ravel()[drawn], np.asarray(adata.layers["mean"][:, 0]))


@pytest.mark.parametrize("layer", ["mean", "sd"])
def test_super_resolved_layers_from_file_and_memory(finer, layer):
    gene = str(finer.read().var_names[1])
    for source in (finer, finer.path, str(finer.path), finer.read()):
        ax = clearspot.pl.superres(source, gene, layer=layer)
        assert ax.get_title().startswith(f"{gene}, predicted")


def test_bins_of_visium_hd_are_squares_on_their_turned_lattice():
    row, column = (index.ravel() for index in np.indices((6, 8)))
    turn = np.array([[0.99, 0.14], [-0.14, 0.99]])
    xy = np.column_stack([column, row]) * 10.0 @ turn + 100
    adata = ad.AnnData(
        obs=pd.DataFrame({"array_row": row, "array_col": column, "value": row * 10.0 + column}).set_axis(
            [f"b{n}" for n in range(48)]
        ),
        obsm={"spatial": xy},
        uns={"clearspot": {"bin_size_um": 8, "microns_per_pixel": 0.8}},
    )[row + column > 0].copy()
    geometry = geometry_of(adata)
    x, y = geometry.corners
    centres = np.stack([(x[:-1, :-1] + x[1:, 1:]) / 2, (y[:-1, :-1] + y[1:, 1:]) / 2], axis=-1)
    assert np.allclose(centres[adata.obs["array_row"], adata.obs["array_col"]], adata.obsm["spatial"])
    (mesh,) = [one for one in clearspot.pl.spots(adata, "value").collections if isinstance(one, QuadMesh)]
    assert np.ma.masked_invalid(mesh.get_array()).mask.sum() == 1


def test_names_that_there_are_not_are_told_the_nearest(denoised, finer):
    with pytest.raises(KeyError, match="nearest: total_counts"):
        clearspot.pl.spots(denoised, "total_count")
    with pytest.raises(KeyError, match=r"no layer named 'denoise'.*nearest: denoised"):
        clearspot.pl.spots(denoised, str(denoised.var_names[0]), layer="denoise")
    with pytest.raises(KeyError, match="no gene named"):
        clearspot.pl.superres(finer, "NOGENE")


def test_what_was_not_computed_is_asked_for(section):
    with pytest.raises(BadInputError, match=r"Call clearspot\.domains"):
        clearspot.pl.domains(section)
    with pytest.raises(BadInputError, match=r"Call clearspot\.denoise"):
        clearspot.pl.genes(section, str(section.var_names[0]))
    with pytest.raises(BadInputError, match=r"clearspot\.superresolve"):
        clearspot.pl.superres(section, str(section.var_names[0]))


def test_axes_that_are_given_are_drawn_on_and_shown_on_request(denoised, monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(True))
    ax = plt.subplots()[1]
    assert clearspot.pl.spots(denoised, "total_counts", ax=ax, show=True) is ax
    assert shown == [True]
    assert clearspot.pl.spots(denoised, "total_counts", title="").get_title() == ""


def test_denoised_values_in_a_file_are_drawn_as_the_message_says(denoised, tmp_path):
    adata = denoised.copy()
    path = tmp_path / "s.denoised.h5ad"
    shape = (adata.n_obs, adata.n_vars)
    ad.AnnData(obs=adata.obs[[]], var=adata.var[[]]).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        write_rows(file, shape, [np.asarray(adata.layers.pop("denoised"), dtype=np.float32)])
    adata.uns["clearspot"]["dusted"]["denoised_file"] = path.name
    genes = list(adata.var_names[:2])
    with pytest.raises(BadInputError, match=r"read_denoised\('s.denoised.h5ad'"):
        clearspot.pl.genes(adata, genes)
    part = adata[:, genes].copy()
    part.layers["denoised"] = read_denoised(path, part.obs_names, genes)
    assert clearspot.pl.genes(part, genes).shape == (2, 2)
