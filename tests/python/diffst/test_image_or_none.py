"""References and sections with an image beside others without one: a model that looks at pixels serves them all."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from clearspot import keys
from clearspot.diffst.data.embedding import embed_histology
from clearspot.diffst.data.reference import Reference, from_cells
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import no_image
from clearspot.diffst.image.stain import optical_density, stain_of
from clearspot.diffst.output.api import sample_section, train
from clearspot.diffst.output.pretraining import pretrain_on
from clearspot.diffst.params import DiffstParams
from clearspot.record import StepRecord
from tests.helpers.diffst_sections import make_section

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, n_programs=3)
SIDE_UM = 960


def make_reference(seed: int) -> Reference:
    """Cells with the genes of the section, denser in the left half."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, SIDE_UM, (2000, 2))
    genes = pd.Index([f"gene{number}" for number in range(13)])
    counts = sp.csr_array(rng.poisson(np.where(xy[:, :1] < SIDE_UM / 2, 4.0, 1.0) * rng.gamma(2.0, 1.0, len(genes))))
    return from_cells(xy, np.full(len(xy), 60.0), counts, genes, FineGrid.covering(xy, 1.0, 20.0, 20.0, multiple=8))


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StepRecord]:
    """Model of a reference with an image and one without."""
    picture = np.random.default_rng(2).integers(60, 240, (1100, 1100, 3)).astype(np.uint8)
    references = {"bare": make_reference(0), "seen": make_reference(1).with_image(picture)}
    path = tmp_path_factory.mktemp("references") / keys.PRETRAINED_NAME
    return path, pretrain_on(references, path, params=PARAMS, progress=False)


def test_references_with_and_without_an_image_are_learned_from_together(pretrained: tuple[Path, StepRecord]) -> None:
    _, record = pretrained
    assert record.tables["references"]["image"] == [False, True]
    assert record.metrics["n_references_with_image"] == 1
    assert np.isfinite(record.tables["training_mean"]["loss"]).all()


@pytest.mark.parametrize("with_image", [True, False], ids=["image", "no image"])
def test_a_section_starts_from_that_model_with_or_without_an_image(
    pretrained: tuple[Path, StepRecord], tmp_path: Path, with_image: bool
) -> None:
    adata, picture = make_section()
    embedding = embed_histology(adata, picture, "s1", PARAMS) if with_image else None
    checkpoint = tmp_path / "s1.pt"
    record = train(adata, embedding, checkpoint, sample="s1", params=PARAMS, start_from=pretrained[0], progress=False)
    assert record.metrics["n_references"] == 2
    assert np.isfinite(record.metrics["loss_mean_final"])
    result = sample_section(adata, embedding, checkpoint, tmp_path, sample="s1", params=PARAMS, progress=False)
    assert np.isfinite(np.asarray(ad.read_h5ad(result.path).layers[keys.SUPERRES_MEAN])).all()
    assert result.record.metrics["image_used"] == with_image


def test_pixels_of_no_image_are_what_training_shows_where_it_hides_one() -> None:
    pixels = no_image((8, 16), 5, 4).pixels
    assert pixels.shape == (3, 32, 64)
    assert not optical_density(pixels, stain_of(pixels)).any()
    assert no_image((8, 16)).pixels_per_bin == 0
