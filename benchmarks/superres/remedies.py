"""What the spread could be in place of what is written, on the same draws: nothing is trained again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from clearspot.diffst.generate import prediction as products
from clearspot.diffst.generate.gene_noise import COARSE_CELLS, FINE_CELLS

AMPLITUDES = (1.25, 1.5, 2.0)


def remedies(made: products.Prediction, folder: Path) -> Iterator[tuple[str, products.Prediction]]:
    """Other spreads by name; each holds until the next is asked for."""
    with mock.patch.object(products, "FINE_CELLS", COARSE_CELLS):
        yield "no draws, genes' noise coarse", replace(made, draws=())
    with mock.patch.object(products, "COARSE_CELLS", FINE_CELLS):
        yield "draws, genes' noise fine", replace(made)
    for factor in AMPLITUDES:
        with mock.patch.object(products.Prediction, "amplitude", factor):
            yield f"draws, {factor:g} times as far", replace(made)
    with mock.patch.object(products, "noise_sd", lambda phi, *_: np.zeros_like(phi)):
        yield "draws, without the genes' noise", replace(made)
    yield "white noise of the residual's size", replace(made, draws=tuple(_white(made, folder)))


def _white(made: products.Prediction, folder: Path) -> Iterator[Path]:
    generator = np.random.default_rng([made.params.seed, 41])
    for number in range(len(made.draws)):
        path = folder / f"white-{number}.npy"
        np.save(path, generator.standard_normal(made.mean.shape).astype(np.float16))
        yield path
