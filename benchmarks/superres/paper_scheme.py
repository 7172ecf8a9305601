"""The scheme of the Diff-ST paper as an ablation: min-max per patch and gene, genes as channels, noise predicted.

It learns from fine maps, so it is given what no other method here gets: the fine truth of other sections (another
phantom with the same panel, the other Xenium crops). Where there are none (hidden spots of her2st and mob,
``xenium-pair``, whose panel is its own) it cannot be trained. The low-resolution map is pooled from the fine one in
training, and from the spots' densities in use, whose range also turns its output back into counts. Of the paper's
conditions it has the counts and the image's colour; network and noise schedules are those of ``diffusers``.

:func:`scheme_of_pairs` trains it on the references of ``pairs.py``, as often as both stages of Diff-ST together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from baselines import even
from cases import Case, Prediction
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from pair_cases import Lesson, Test
from phantom_case import phantom_case
from xenium_case import xenium_case

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import Histology
from clearspot.diffst.image.image_samples import GridImage

PATCH = 60
"""Bins along a side: whole multiples of both factors, and of the network's stride of 4."""

NOISE_LEVELS, STEPS, BATCH, EVALUATIONS, DRAWS, WIDTH = 1000, 400, 4, 20, 4, 48


def paper_scheme(case: Case) -> Prediction:
    """Draws of the paper's scheme, trained on the fine truth of other sections."""
    factor = _factor(case)
    lessons = [(_as_maps(one.truth, one.grid), _colour(one)) for one in teachers(case)]
    network = _trained(lessons, factor, STEPS, seed=0)
    return _predicted(network, case, _colour(case), factor)


def scheme_of_pairs(
    taught: Lesson, tests: Sequence[Test], steps: int, seed: int
) -> Iterator[tuple[Test, str, Prediction]]:
    """The paper's scheme, trained once on references and drawn for every test."""
    lessons = [
        (_as_maps(one.counts.toarray(), one.grid), _mean_colour(one.histology))
        for one in taught.references.values()
        if one.histology is not None
    ]
    factor = _factor(tests[0].case)
    network = _trained(lessons, factor, steps, seed)
    for test in tests:
        yield test, "scheme of the paper", _predicted(network, test.case, _mean_colour(test.histology), factor)


def _factor(case: Case) -> int:
    return round(case.pitch_um / case.grid.bin_um)


def _predicted(network: UNet2DModel, case: Case, colour: np.ndarray, factor: int) -> Prediction:
    density = _as_maps(even(case).mean, case.grid)
    draws = [_draw(network, density, colour, factor, number) for number in range(DRAWS)]
    samples = np.stack([draw.reshape(len(draw), -1).T for draw in draws])
    return Prediction(samples.mean(axis=0), samples)


def teachers(case: Case) -> list[Case]:
    """Other sections with a fine truth of the same genes; none where there are none."""
    kind, name, size = case.name.split("-")[:3]
    genes = list(case.adata.var_names)
    if kind == "phantom":
        work = Path(case.image).parents[1]
        return [phantom_case(int(size[:-1]), work, seed=int(name) + 100, genes=genes, panel_seed=int(name))]
    if kind == "xenium" and name != "pair":
        folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "xenium_crops"
        others = sorted(path for path in folder.glob("*.h5ad") if path.stem != name)
        return [xenium_case(path, path.stem, int(size[:-1]), genes=genes) for path in others]
    return []


def _network(n_genes: int) -> UNet2DModel:
    blocks = {"down_block_types": ("DownBlock2D",) * 3, "up_block_types": ("UpBlock2D",) * 3}
    widths = (WIDTH, 2 * WIDTH, 3 * WIDTH)
    return UNet2DModel(
        in_channels=2 * n_genes + 3,
        out_channels=n_genes,
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=8,
        add_attention=False,
        **blocks,
    )


def _trained(lessons: list[tuple[np.ndarray, np.ndarray]], factor: int, steps: int, seed: int) -> UNet2DModel:
    torch.manual_seed(seed)
    network = _network(len(lessons[0][0]))
    rng = np.random.default_rng(seed)
    scheduler = DDPMScheduler(NOISE_LEVELS)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-4)
    for _ in range(steps):
        pairs = [_lesson(rng, *lessons[rng.integers(len(lessons))], factor) for _ in range(BATCH)]
        fine, condition = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        noise = torch.randn_like(fine)
        level = torch.randint(0, NOISE_LEVELS, (BATCH,))
        predicted = network(torch.cat([scheduler.add_noise(fine, noise, level), condition], 1), level).sample
        loss = ((predicted - noise) ** 2 + 1e-6).sqrt().mean()  # Charbonnier
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def _lesson(
    rng: np.random.Generator, maps: np.ndarray, colour: np.ndarray, factor: int
) -> tuple[np.ndarray, np.ndarray]:
    """A random patch, turned: the fine maps, and what they are to be found from."""
    row, col = (factor * rng.integers((length - PATCH) // factor + 1) for length in maps.shape[1:])
    window = (slice(None), slice(row, row + PATCH), slice(col, col + PATCH))
    turn, mirrored = rng.integers(4), rng.integers(2)

    def turned(x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(x[:, :, ::-1] if mirrored else x, turn, (1, 2)))

    fine, rgb = turned(maps[window]), turned(colour[window])
    return _minmax(fine)[0], np.concatenate([_minmax(_pooled(fine, factor))[0], rgb])


@torch.no_grad()
def _draw(network: UNet2DModel, density: np.ndarray, colour: np.ndarray, factor: int, number: int) -> np.ndarray:
    """One draw of a whole section, patch by patch, in counts."""
    generator = torch.Generator().manual_seed(number)
    scheduler = DDIMScheduler(NOISE_LEVELS)
    scheduler.set_timesteps(EVALUATIONS)
    result = np.zeros_like(density)
    for rows, cols in _patches(density.shape[1:]):
        low, least, reach = _minmax(_pooled(density[:, rows, cols], factor))
        condition = torch.from_numpy(np.concatenate([low, colour[:, rows, cols]]))[None]
        x = torch.randn((1, *low.shape), generator=generator)
        for level in scheduler.timesteps:
            noise = network(torch.cat([x, condition], 1), level).sample
            x = scheduler.step(noise, level, x, generator=generator).prev_sample
        result[:, rows, cols] = np.maximum((x[0].numpy() + 1) / 2 * reach + least, 0)
    return result


def _patches(shape: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """Patches that cover everything; the last of a row or column overlaps the one before."""
    starts = [sorted({*range(0, length - PATCH, PATCH), length - PATCH}) for length in shape]
    for row in starts[0]:
        for col in starts[1]:
            yield slice(row, row + PATCH), slice(col, col + PATCH)


def _pooled(maps: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks, each repeated over its block."""
    genes, rows, cols = maps.shape
    means = maps.reshape(genes, rows // factor, factor, cols // factor, factor).mean(axis=(2, 4))
    return means.repeat(factor, 1).repeat(factor, 2)


def _minmax(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From -1 to 1 for each gene of a patch, with what undoes it."""
    least = maps.min(axis=(1, 2), keepdims=True)
    reach = np.maximum(maps.max(axis=(1, 2), keepdims=True) - least, 1e-6)
    return (2 * (maps - least) / reach - 1).astype(np.float32), least, reach


def _as_maps(values: np.ndarray, grid: FineGrid) -> np.ndarray:
    return np.ascontiguousarray(values.T, dtype=np.float32).reshape(-1, *grid.shape)


def _mean_colour(histology: Histology) -> np.ndarray:
    """Mean colour of every bin, -1 to 1; 0 where there is no image."""
    rows, columns = histology.shape
    points = histology.pixels_per_bin
    blocks = histology.pixels.reshape(3, rows, points, columns, points).mean(axis=(2, 4))
    return np.where(histology.valid, blocks / 127.5 - 1, 0).astype(np.float32)


def _colour(case: Case) -> np.ndarray:
    """Mean colour of every bin, -1 to 1; 0 without an image."""
    maps = np.zeros((*case.grid.shape, 3), dtype=np.float32)
    if case.image is not None:
        points = 4
        for first, pixels, covered in GridImage.open(case.image, case.grid, case.name).strips(points, 64):
            blocks = np.where(covered[:, :, None], pixels / 127.5 - 1, 0).astype(np.float32)
            height = len(blocks) // points
            blocks = blocks.reshape(height, points, case.grid.n_cols, points, 3)
            maps[first : first + height] = blocks.mean(axis=(1, 3))
    return np.ascontiguousarray(maps.transpose(2, 0, 1))
