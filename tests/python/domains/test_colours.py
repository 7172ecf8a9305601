import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scanpy as sc
from matplotlib.colors import to_rgba

from clearspot import keys
from clearspot.display.format import domain_name
from clearspot.display.palette import NEUTRAL, colours
from clearspot.domains.colours import add_colours
from clearspot.io.atomic import write_h5ad
from clearspot.report.section_domains import _order


def labelled(number: int, **more) -> ad.AnnData:
    names = [str(place + 1) for place in range(number)]
    obs = pd.DataFrame({keys.DOMAIN_GMM: pd.Categorical([*names, None], categories=names)} | more)
    obs.index = obs.index.astype(str)
    xy = np.column_stack([np.arange(len(obs)), np.zeros(len(obs))])
    return ad.AnnData(obs=obs, obsm={keys.SPATIAL: xy})


def test_each_domain_has_the_colour_of_the_page():
    adata = labelled(30)
    add_colours(adata)
    labels = adata.obs[keys.DOMAIN_GMM]
    on_the_page = colours(_order(labels))
    names = map(domain_name, labels.cat.categories)
    assert dict(zip(names, adata.uns["domain_gmm_colors"], strict=True)) == on_the_page
    assert len(on_the_page) == 30


def test_scanpy_draws_them_from_the_file(tmp_path):
    adata = labelled(12)
    add_colours(adata)
    write_h5ad(adata, tmp_path / "s.h5ad")
    read = sc.read_h5ad(tmp_path / "s.h5ad")
    plt.switch_backend("Agg")
    figure = sc.pl.embedding(read[read.obs[keys.DOMAIN_GMM].notna()], keys.SPATIAL, color=keys.DOMAIN_GMM,
                             show=False, return_fig=True)  # fmt: skip
    (points,) = (one for axes in figure.axes for one in axes.collections if len(one.get_offsets()) == 12)
    by_place = dict(zip(points.get_offsets()[:, 0].astype(int), map(tuple, points.get_facecolors()), strict=True))
    assert by_place == {
        place: to_rgba(shade) for place, shade in enumerate(colours([str(i) for i in range(1, 13)]).values())
    }
    plt.close(figure)


def test_no_region_is_grey_and_labels_that_are_not_there_are_left_out():
    adata = labelled(2, artefact_region=pd.Categorical(["", "1", "2"]))
    add_colours(adata)
    shades = colours(["1", "2"])
    assert adata.uns["artefact_region_colors"].tolist() == [NEUTRAL, shades["1"], shades["2"]]
    assert "domain_leiden_colors" not in adata.uns
