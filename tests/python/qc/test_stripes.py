"""Stripes in quality control: a light by their strength, and counts without them in a layer of their own."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.dusted.denoised_store import without_stripes
from clearspot.dusted.inference import MeanBlock
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords
from clearspot.report.rules import RULES

RULE = {rule.id: rule for rule in RULES}


def section(strength: float, border: float = 1.0, first: int = 400) -> ad.AnnData:
    """Bins of 8 µm with 60 genes, rows and columns of given strength and a last row of so many of its counts."""
    rng = np.random.default_rng(3)
    row, column = (grid.ravel() for grid in np.mgrid[first : first + 60, 300:370])
    of_row, of_column = np.exp(rng.normal(0, strength, 1000)), np.exp(rng.normal(0, strength, 1000))
    level = of_row[row] * of_column[column] * np.where(row == 837, border, 1.0)
    genes = rng.gamma(1.0, 1.0, 60)
    adata = ad.AnnData(
        obs=pd.DataFrame(
            {keys.ARRAY_ROW: row, keys.ARRAY_COL: column},
            index=[f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)],
        ),
        var=pd.DataFrame(index=[f"g{number}" for number in range(60)]),
    )
    adata.layers[keys.COUNTS] = csr_matrix(rng.poisson(level[:, None] * genes).astype(np.int32))
    adata.obsm[keys.SPATIAL] = np.column_stack([column, row]) * 16.0
    adata.uns[keys.UNS] = {keys.BIN_SIZE_UM: 8, keys.MICRONS_PER_PIXEL: 0.5, keys.UNIT: "bins"}
    return adata


def light(record: StepRecord, rule: str) -> str:
    ingest = StepRecord("s", "ingest", metrics={"unit": "bins", "bin_size_um": 8.0})
    return RULE[rule].judge(SampleRecords("s", {"ingest": ingest, "qc": record}))


@pytest.mark.parametrize(("strength", "expected"), [(0.0, "good"), (0.1, "look"), (0.35, "bad")])
def test_the_light_follows_the_strength(strength: float, expected: str) -> None:
    record = run_qc(section(strength), "s")
    assert light(record, "stripes") == expected
    assert len(record.tables["stripes"]["factor"]) == 60 + 70


@pytest.mark.parametrize(("border", "expected"), [(1.0, "good"), (0.4, "look"), (0.05, "bad")])
def test_the_light_of_the_border(border: float, expected: str) -> None:
    record = run_qc(section(0.0, border, first=778), "s")
    assert record.metrics["n_border_bins"] == 70
    assert light(record, "border_to_inner_counts") == expected


def test_inside_the_slide_the_border_is_not_judged() -> None:
    record = run_qc(section(0.0), "s")
    assert record.metrics["n_border_bins"] == 0
    assert light(record, "border_to_inner_counts") == "unknown"


def test_counts_stay_and_the_destriped_are_a_layer() -> None:
    adata = section(0.2)
    before = adata.layers[keys.COUNTS].copy()
    record = run_qc(adata, "s", QCParams(destripe=True))
    assert (adata.layers[keys.COUNTS] != before).nnz == 0
    factor = adata.obs[keys.STRIPE_FACTOR].to_numpy()
    np.testing.assert_allclose(
        adata.layers[keys.DESTRIPED].toarray() * factor[:, None], before.toarray(), rtol=1e-5, atol=1e-6
    )
    assert adata.layers[keys.DESTRIPED].dtype == np.float32
    assert record.metrics["stripes_left_percent"] < 0.3 * record.metrics["stripes_percent"]
    assert record.metrics["is_destriped"] is True
    again = run_qc(adata, "s")  # asked for no more: gone
    assert keys.DESTRIPED not in adata.layers
    assert keys.STRIPE_FACTOR not in adata.obs
    assert again.metrics["is_destriped"] is False


def test_normalised_expression_has_no_stripes_either_way() -> None:
    plain, destriped = section(0.2), section(0.2)
    run_qc(plain, "s")
    run_qc(destriped, "s", QCParams(destripe=True))
    np.testing.assert_array_equal(plain.X.toarray(), destriped.X.toarray())


def test_spots_and_cells_have_no_stripes() -> None:
    for unit in ("spots", "cells"):
        adata = section(0.2)
        del adata.uns[keys.UNS][keys.BIN_SIZE_UM]
        adata.uns[keys.UNS][keys.UNIT] = unit
        record = run_qc(adata, "s", QCParams(destripe=True))
        assert "stripes_percent" not in record.metrics
        assert keys.DESTRIPED not in adata.layers
        assert any("only removed from Visium HD bins" in message.text for message in record.messages)


def test_denoised_means_lose_the_stripes_of_their_bins() -> None:
    factor = np.array([1.0, 2.0, 0.5, 4.0], dtype=np.float32)
    mean = np.full((2, 3), 8.0, dtype=np.float32)
    (block,) = without_stripes([MeanBlock(np.array([3, 1]), mean, mean)], factor)
    np.testing.assert_array_equal(block.mean, [[2.0] * 3, [4.0] * 3])
    np.testing.assert_array_equal(block.expected, block.mean)
