"""Render the phantom as a haematoxylin and eosin section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from clearspot.simulate.cells import CELL_TYPES, TYPE_NAMES
from clearspot.simulate.fields import periodic_texture
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.tissue import BLOOD, DOMAINS, GRID_UM, LUMEN, code

# Ground substance of each region: eosin, haematoxylin, strength of fibres, share of clefts between them.
_GROUND: Final = {
    "mucosa": (0.25, 0.09, 0.30, 0.03),
    "epithelium": (0.46, 0.20, 0.05, 0.00),
    "muscularis_mucosae": (0.62, 0.05, 0.22, 0.02),
    "submucosa": (0.36, 0.02, 0.55, 0.20),
    "follicle": (0.22, 0.24, 0.05, 0.00),
    "germinal_centre": (0.30, 0.16, 0.06, 0.00),
    "muscle": (0.66, 0.05, 0.26, 0.01),
    "septum": (0.40, 0.02, 0.40, 0.18),
    "plexus": (0.28, 0.12, 0.10, 0.00),
    "vessel": (0.58, 0.04, 0.15, 0.00),
}
_TILE: Final = 1024
_STAMP_ENTRIES: Final = 2_000_000
_GOBLET: Final = TYPE_NAMES.index("goblet")
# Not every nucleus lies in the plane of the section.
_SEEN: Final = 0.93
_OUT_OF_FOCUS_UM: Final = 1.0


@dataclass(frozen=True)
class Frame:
    """The picture's place: pixel (row, column) lies at ``origin_um + (column + 0.5, row + 0.5) * um_per_px``.

    Parameters
    ----------
    x0_um, y0_um
        Upper left corner in the phantom's frame.
    um_per_px
        Edge of a pixel.
    shape
        Rows and columns.
    """

    x0_um: float
    y0_um: float
    um_per_px: float
    shape: tuple[int, int]

    def to_pixels(self, x_um: np.ndarray, y_um: np.ndarray) -> np.ndarray:
        """Column and row (n x 2, float64) in Space Ranger's convention: the first pixel's centre is at 0.5."""
        return np.column_stack([(x_um - self.x0_um) / self.um_per_px, (y_um - self.y0_um) / self.um_per_px])


class Renderer:
    """Paints a phantom tile by tile, so that the picture never needs to fit into memory.

    Parameters
    ----------
    phantom
        What to paint.
    frame
        Which part of it, and how finely.
    """

    def __init__(self, phantom: Phantom, frame: Frame):
        self.phantom = phantom
        self.frame = frame
        rng = np.random.default_rng(np.random.SeedSequence([phantom.seed, 9001]))
        self._fibres = periodic_texture(rng, 1024, 2.0)
        self._grain = periodic_texture(rng, 1024, 1.2)
        # Even slides of one laboratory differ a little.
        self._strength = np.exp(rng.normal(0, 0.08, 2)) * phantom.staining.amounts
        self._maps = self._ground_maps()
        self._nuclei = self._shapes(rng)
        self._deep = self._deep_nuclei()

    def paint(self, out: np.ndarray) -> None:
        """Fill ``out`` (rows x columns x 3, uint8; may be a memory map) with the picture."""
        out[:] = np.array(self.phantom.staining.white).astype(np.uint8)
        rows, cols = self._field_pixels()
        for top in range(rows.start, rows.stop, _TILE):
            for left in range(cols.start, cols.stop, _TILE):
                here = (slice(top, min(top + _TILE, rows.stop)), slice(left, min(left + _TILE, cols.stop)))
                out[here] = self._tile(here)
        self._add_noise(out)

    def _add_noise(self, out: np.ndarray) -> None:
        """Add the sensor's noise, which bare glass has too."""
        if not self.phantom.staining.noise:
            return
        rng = np.random.default_rng(np.random.SeedSequence([self.phantom.seed, 9003]))
        for top in range(0, len(out), _TILE):
            strip = out[top : top + _TILE]
            noise = rng.standard_normal(strip.shape, dtype=np.float32) * self.phantom.staining.noise
            strip[:] = np.clip(np.rint(strip + noise), 0, 255)

    def _field_pixels(self) -> tuple[slice, slice]:
        """Rows and columns of the picture whose centres lie in the phantom's field; all else is bare glass."""
        frame = self.frame
        spans = []
        for start, length, pixels in (
            (frame.y0_um, self.phantom.height_um, frame.shape[0]),
            (frame.x0_um, self.phantom.width_um, frame.shape[1]),
        ):
            first = int(np.ceil(-start / frame.um_per_px - 0.5))
            end = int(np.floor((length - start) / frame.um_per_px - 0.5)) + 1
            spans.append(slice(max(first, 0), min(end, pixels)))
        return spans[0], spans[1]

    def _ground_maps(self) -> dict[str, np.ndarray]:
        """Ground substance on the 2 µm grid, softened at the borders of regions."""
        region = self.phantom.tissue.region
        table = np.zeros((256, 4), dtype=np.float32)
        for name in DOMAINS:
            table[code(name)] = _GROUND[name]
        table[LUMEN] = (0.03, 0.01, 0.0, 0.0)
        table[BLOOD] = (0.14, 0.0, 0.0, 0.0)
        maps = {
            name: ndimage.gaussian_filter(table[region, place], 0.7)
            for place, name in enumerate(("eosin", "haematoxylin", "fibre", "cleft"))
        }
        maps["tissue"] = ndimage.gaussian_filter(self.phantom.tissue.mask.astype(np.float32), 0.8)
        maps["depth"] = self.phantom.tissue.depth_um
        maps["along"] = self.phantom.tissue.along_um
        return maps

    def _shapes(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Nucleus of each cell: half axes, direction, chromatin; cells differ within their type."""
        kind = self.phantom.cells.kind
        column = {
            name: np.array([getattr(one, name) for one in CELL_TYPES])[kind]
            for name in ("nucleus_um", "stretch", "chromatin", "eosin", "reach_um")
        }
        radius = column["nucleus_um"] * np.exp(rng.normal(0, 0.10, len(kind)))
        stretch = np.maximum(column["stretch"] * np.exp(rng.normal(0, 0.12, len(kind))), 1.0)
        times = self.phantom.staining.nuclei_seen(2 * column["nucleus_um"])
        return {
            "long": radius * np.sqrt(stretch),
            "short": radius / np.sqrt(stretch),
            "chromatin": column["chromatin"] * np.exp(rng.normal(0, 0.12, len(kind))),
            "seen": (rng.random(len(kind)) < _SEEN * np.minimum(times, 1)) & (radius > 0),
            "eosin": column["eosin"] * np.exp(rng.normal(0, 0.2, len(kind))),
            "body": np.minimum(column["reach_um"], 8.0) * 0.75,
            "times": times,
        }

    def _deep_nuclei(self) -> dict[str, np.ndarray]:
        """Further nuclei that a thick section holds in its depth: beside some cells, along them, cut anywhere."""
        rng = np.random.default_rng(np.random.SeedSequence([self.phantom.seed, 9002]))
        shapes, number = self._nuclei, len(self.phantom.cells)
        deep = (rng.random(number) < _SEEN * (shapes["times"] - 1)) & (shapes["long"] > 0)
        return {
            "cell": np.flatnonzero(deep),
            "shift": rng.uniform(2, 6, number) * rng.choice([-1, 1], number),
            "chromatin": shapes["chromatin"] * rng.uniform(0.4, 1.0, number),
        }

    def _tile(self, here: tuple[slice, slice]) -> np.ndarray:
        """One part of the picture, uint8."""
        um = self.frame.um_per_px
        # What lies beside the tile shines into it where the optics blur.
        margin = self.phantom.staining.margin_px(um)
        light = self._light(*(slice(span.start - margin, span.stop + margin) for span in here))
        levels = self.phantom.staining.scan(light, um)[
            margin : light.shape[0] - margin, margin : light.shape[1] - margin
        ]
        return np.clip(levels, 0, 255).astype(np.uint8)

    def _light(self, rows: slice, cols: slice) -> np.ndarray:
        """Light that passes through the section, rows x columns x 3: 1 at bare glass."""
        frame, um = self.frame, self.frame.um_per_px
        y = frame.y0_um + (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * um
        x = frame.x0_um + (np.arange(cols.start, cols.stop, dtype=np.float32) + 0.5) * um
        grid = np.meshgrid(y / GRID_UM - 0.5, x / GRID_UM - 0.5, indexing="ij")
        maps = {
            name: ndimage.map_coordinates(value, grid, order=1, mode="nearest") for name, value in self._maps.items()
        }
        eosin, haematoxylin = self._ground(maps, x, y)
        nuclei = np.zeros_like(eosin)
        self._stamp_cells(x, y, eosin, haematoxylin, nuclei)
        grain = self._lookup(self._grain, x / 0.9, y[:, None] / 0.9)
        # Chromatin is clumpy, and a nucleus hides the cytoplasm above it only in part.
        nuclei *= 1 + 0.16 * grain
        stains = np.stack(
            [np.maximum(haematoxylin, 0) + nuclei, np.maximum(eosin, 0.02) * (1 - 0.35 * np.minimum(nuclei, 1))]
        )
        stains *= self._strength[:, None, None]
        inside = np.clip(1.6 * maps["tissue"] - 0.3, 0, 1)
        density = np.tensordot(stains * inside, self.phantom.staining.vectors, axes=(0, 0))
        light: np.ndarray = np.exp(-1.15 * density)
        return light

    def _ground(self, maps: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eosin and haematoxylin of everything between the cells."""
        # Streaks that follow the layers: the same texture, squeezed across and drawn out along them.
        sway = 10 * self._lookup(self._fibres, maps["along"] / 9, maps["depth"] / 14)
        fibres = self._lookup(self._fibres, maps["along"] / 13, (maps["depth"] + sway) / 1.2)
        coarse = self._lookup(self._fibres, maps["along"] / 24 + 400, (maps["depth"] + 2 * sway) / 3.0)
        grain = self._lookup(self._grain, x / 1.7, y[:, None] / 1.7)
        patches = self._lookup(self._fibres, x / 40, y[:, None] / 40)
        eosin = maps["eosin"] * np.clip(1 + maps["fibre"] * (0.7 * fibres + 0.5 * coarse), 0.15, 2.2)
        cleft = np.clip((coarse + 0.8 * fibres - 2.0 + 4.0 * maps["cleft"]) * 1.6, 0, 1)
        cleft *= np.clip(maps["cleft"] / 0.02, 0, 1)
        eosin *= (1 - 0.85 * cleft) * (1 + 0.10 * grain + 0.06 * patches)
        haematoxylin = maps["haematoxylin"] * (1 + 0.25 * grain) * (1 - 0.85 * cleft)
        return eosin, haematoxylin

    @staticmethod
    def _lookup(texture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        x, y = np.broadcast_arrays(x, y)
        return ndimage.map_coordinates(texture, [y, x], order=1, mode="grid-wrap")

    def _stamp_cells(
        self, x: np.ndarray, y: np.ndarray, eosin: np.ndarray, haematoxylin: np.ndarray, nuclei: np.ndarray
    ) -> None:
        """Draw cytoplasm, mucin and nuclei of the cells in reach of the tile."""
        cells, shapes, margin = self.phantom.cells, self._nuclei, 14.0
        near = (cells.x_um > x[0] - margin) & (cells.x_um < x[-1] + margin)
        near &= (cells.y_um > y[0] - margin) & (cells.y_um < y[-1] + margin)
        everyone = np.flatnonzero(near)
        soft = max(0.25, 0.6 * self.frame.um_per_px)

        body = shapes["body"]
        for index, pixel, radius in self._stamps(everyone, body, body, x, y, soft):
            cover = np.clip((1 - radius) * body[index] / (2 * soft), 0, 1)
            np.add.at(eosin.reshape(-1), pixel, (shapes["eosin"][index] * cover * 0.6).astype(np.float32))
        goblets = everyone[cells.kind[everyone] == _GOBLET]
        for _, pixel, radius in self._stamps(goblets, 0.9 * body, 0.6 * body, x, y, soft, shift=3.5):
            cover = np.clip((1 - radius) * 3, 0, 1).astype(np.float32)
            # Mucin washes out: pale, faintly blue.
            np.minimum.at(eosin.reshape(-1), pixel, 0.40 - 0.32 * cover)
            np.add.at(haematoxylin.reshape(-1), pixel, 0.03 * cover)
        seen = everyone[shapes["seen"][everyone]]
        for index, pixel, radius in self._stamps(seen, shapes["long"], shapes["short"], x, y, soft):
            cover = np.clip((1 - radius) * shapes["short"][index] / (2 * soft) + 0.5, 0, 1)
            rim = 1 + 0.22 * np.exp(-(((radius - 0.85) / 0.15) ** 2))
            np.maximum.at(nuclei.reshape(-1), pixel, (shapes["chromatin"][index] * cover * rim).astype(np.float32))
        deep = np.intersect1d(everyone, self._deep["cell"])
        blurred = max(soft, _OUT_OF_FOCUS_UM)
        for index, pixel, radius in self._stamps(
            deep, shapes["long"], shapes["short"], x, y, blurred, shift=self._deep["shift"]
        ):
            cover = np.clip((1 - radius) * shapes["short"][index] / (2 * blurred) + 0.5, 0, 1)
            np.add.at(nuclei.reshape(-1), pixel, (self._deep["chromatin"][index] * cover).astype(np.float32))

    def _stamps(
        self,
        index: np.ndarray,
        long: np.ndarray,
        short: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
        soft: float,
        shift: float | np.ndarray = 0.0,
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield, in batches, (cell, flat pixel, elliptic radius) for every pixel in reach of every ellipse.

        ``shift`` moves the ellipse along the cell's axis, each cell's by its own where there are several.
        """
        if len(index) == 0:
            return
        cells, um = self.phantom.cells, self.frame.um_per_px
        reach = int(np.ceil((long[index].max() + soft + um) / um))
        offset_y, offset_x = (grid.ravel() for grid in np.mgrid[-reach : reach + 1, -reach : reach + 1])
        step = max(_STAMP_ENTRIES // len(offset_x), 1)
        for start in range(0, len(index), step):
            some = index[start : start + step]
            cos, sin = np.cos(cells.angle[some])[:, None], np.sin(cells.angle[some])[:, None]
            along = shift[some][:, None] if isinstance(shift, np.ndarray) else shift
            centre_x = cells.x_um[some][:, None] + along * cos
            centre_y = cells.y_um[some][:, None] + along * sin
            col = np.round((centre_x - x[0]) / um).astype(int) + offset_x
            row = np.round((centre_y - y[0]) / um).astype(int) + offset_y
            dx, dy = x[0] + col * um - centre_x, y[0] + row * um - centre_y
            radius = np.hypot((dx * cos + dy * sin) / long[some][:, None], (dy * cos - dx * sin) / short[some][:, None])
            hit = (row >= 0) & (row < len(y)) & (col >= 0) & (col < len(x))
            hit &= (radius - 1) * short[some][:, None] < 2 * soft
            which = np.broadcast_to(some[:, None], hit.shape)[hit]
            yield which, (row * len(x) + col)[hit], radius[hit]
