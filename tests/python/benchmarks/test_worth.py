"""The table of what each part is worth, from rows of trainings."""

import pandas as pd
import pytest

from tests.helpers.benchmark_modules import benchmark_modules


@pytest.fixture(scope="module")
def worth():
    with benchmark_modules("superres") as load:
        yield load("worth")


def training(pearson, without="", seed=0, settings="all_parts=True", **other):
    about = {"case": "phantom-0-5x", "map": "network, genes' fields", "region": "tissue", "steps": 600}
    about |= {"staining": "default", "other_panel": "False", "deviance": 0.5}
    return about | {"pearson": pearson, "without": without, "seed": seed, "settings": settings} | other


ROWS = [
    training(0.80),
    training(0.90, seed=1),
    training(0.70, "gene_head pixels"),
    training(0.82, "pixels", seed=1),
    training(0.85, settings=""),
    training(0.10, "pixels", seed=2, steps=1200),
    training(0.10, "image", settings=""),
    training(0.10, "pixels", staining="drawn"),
]


def cells(worth, kind):
    return worth.cells_of(worth.trainings(pd.DataFrame(ROWS)), kind)


def test_a_part_is_compared_with_all_parts_of_the_same_seed(worth):
    assert cells(worth, "pixels") == ("0.760 / 0.500", "-0.090 ± 0.014 (2)")


def test_the_default_is_what_has_no_parts_named(worth):
    assert cells(worth, worth.DEFAULT) == ("0.850 / 0.500", "+0.050 (1)")


def test_trainings_of_other_settings_do_not_count(worth):
    assert cells(worth, "image") == ("-", "-")
    assert cells(worth, worth.ALL) == ("0.850 / 0.500", "")
