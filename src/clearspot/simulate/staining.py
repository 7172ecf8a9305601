"""How a slide is cut, stained and scanned: why pictures of like tissue differ in colour, contrast and sharpness."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import exp, log, radians
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation
from skimage.color import rgb_from_hed

StainingChoice = Literal["default", "drawn"] | int
"""The picture of old, each slide's own from its sample's seed, or a seed."""

REFERENCE_UM: Final = 5.0
"""Section whose absorbance is not scaled."""

AMOUNT: Final = (0.7, 1.4)
SECTION_UM: Final = (4.0, 7.0)
ROTATION_DEGREES: Final = 4.0
BACKGROUND: Final = (236.0, 252.0)
TINT: Final = 5.0
GAMMA: Final = (0.9, 1.1)
SATURATION: Final = (0.85, 1.15)
BLUR_UM: Final = (0.2, 0.8)
SHARPENING: Final = (0.0, 0.6)
NOISE: Final = (0.0, 2.0)
JPEG_QUALITY: Final = (70, 95)

_MASK_UM: Final = 1.0
_TRUNCATE: Final = 4.0
_STREAM: Final = 9004
"""Keeps the draws apart from those that the same seed makes elsewhere."""


@dataclass(frozen=True)
class Staining:
    """What differs between slides of the same tissue. As it is by default, the phantom is painted as it always was.

    Parameters
    ----------
    haematoxylin, eosin
        Optical density of the pure stain in red, green and blue, of length 1. Default: the reference slide of Macenko
        et al. (2009).
    haematoxylin_amount, eosin_amount
        Stain relative to the default: weak below 1, strong above.
    section_um
        Thickness of the section. All absorbance grows with it in proportion, and as many more nuclei are seen as
        Abercrombie's correction says; those of the depth lie over others and out of focus. The counts stay the same.
    white
        Colour of bare glass, 0 to 255.
    gamma
        Exponent of the brightness relative to bare glass: above 1 the picture has more contrast.
    saturation
        Distance of colours from grey, relative to the default.
    blur_um
        Standard deviation of the optics' blur (µm).
    sharpening
        Share of the unsharp mask (of 1 µm) that the scanner adds.
    noise
        Standard deviation of the pixels' noise, in levels of 255.
    jpeg_quality
        Of the full-resolution image, 1 to 100.

    Raises
    ------
    ValueError
        If a value is out of its bounds.
    """

    haematoxylin: tuple[float, float, float] = (0.5626, 0.7201, 0.4062)
    eosin: tuple[float, float, float] = (0.2159, 0.8012, 0.5581)
    haematoxylin_amount: float = 1.0
    eosin_amount: float = 1.0
    section_um: float = REFERENCE_UM
    white: tuple[float, float, float] = (243.0, 241.0, 243.0)
    gamma: float = 1.0
    saturation: float = 1.0
    blur_um: float = 0.0
    sharpening: float = 0.0
    noise: float = 0.0
    jpeg_quality: int = 90

    def __post_init__(self) -> None:
        for name in ("haematoxylin_amount", "eosin_amount", "section_um", "gamma"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("saturation", "blur_um", "sharpening", "noise"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        if not all(0 < level <= 255 for level in self.white):
            raise ValueError(f"white must be above 0 and at most 255, not {self.white}")
        if min(*self.haematoxylin, *self.eosin) < 0:
            raise ValueError("a stain's optical density must be at least 0 in every colour")
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"jpeg_quality must be 1 to 100, not {self.jpeg_quality}")

    @classmethod
    def default(cls) -> Self:
        """Return the staining of every phantom so far."""
        return cls()

    @classmethod
    def drawn(cls, seed: int) -> Self:
        """Draw a slide's own staining, section and scanner; same seed, same slide.

        Every value is drawn by itself, amounts and thickness evenly on the log scale, all else evenly.

        ================  ==============================  ==========================================================
        what              range                           from
        ================  ==============================  ==========================================================
        stain vectors     anywhere between Ruifrok &      the two published pairs are 9 (haematoxylin) and 30
                          Johnston's (2001) and Macenko   degrees (eosin) apart; estimates by Macenko's method on
                          et al.'s (2009), then turned    eleven public ST, Visium and Xenium images lie 4 to 23 and
                          by up to 4 degrees              1 to 44 degrees from Ruifrok & Johnston's
        amounts           0.7 to 1.4 of the default       chosen, a little wider than the strong augmentation of
                                                          Tellez et al. (2018), 0.8 to 1.2. Together with the
                                                          thickness the mean optical density is 0.56 to 1.96 of the
                                                          default; on those images it differs by a factor of 4,
                                                          but so do their tissues
        section           4 to 7 µm                       chosen, around the 5 µm of paraffin sections
        bare glass        236 to 252, each colour up to   those images have means of 232 to 255, one of them with
                          5 levels off that               colours 17 levels apart
        gamma             0.9 to 1.1                      chosen
        saturation        0.85 to 1.15                    chosen
        blur              0.2 to 0.8 µm                   chosen; below the pixel of 1 to 2 µm images
        sharpening        0 to 0.6                        chosen
        noise             0 to 2 levels                   chosen
        JPEG quality      70 to 95                        many Aperio files state 70; the rest chosen
        ================  ==============================  ==========================================================

        That scanners differ in all of this, and that the same slide looks unlike itself on another, is what CAMELYON17
        (five hospitals, three scanners) and MIDOG (Aubreville et al. 2023) were made to show; neither gives figures
        for these values.

        Parameters
        ----------
        seed
            At least 0.
        """
        rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAM]))
        plain = cls()
        haematoxylin = _vector(rng, rgb_from_hed[0], plain.haematoxylin)
        eosin = _vector(rng, rgb_from_hed[1], plain.eosin)
        haematoxylin_amount, eosin_amount, section_um = (
            exp(rng.uniform(log(low), log(high))) for low, high in (AMOUNT, AMOUNT, SECTION_UM)
        )
        white = np.round(np.clip(rng.uniform(*BACKGROUND) + rng.uniform(-TINT, TINT, 3), 0, 255))
        gamma, saturation, blur_um, sharpening, noise = (
            float(rng.uniform(low, high)) for low, high in (GAMMA, SATURATION, BLUR_UM, SHARPENING, NOISE)
        )
        return cls(
            haematoxylin=haematoxylin,
            eosin=eosin,
            haematoxylin_amount=haematoxylin_amount,
            eosin_amount=eosin_amount,
            section_um=section_um,
            white=_three(white),
            gamma=gamma,
            saturation=saturation,
            blur_um=blur_um,
            sharpening=sharpening,
            noise=noise,
            jpeg_quality=int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1)),
        )

    @classmethod
    def chosen(cls, choice: StainingChoice, sample_seed: int, number: int = 0) -> Self:
        """Return what a word or a seed stands for.

        Parameters
        ----------
        choice
            ``default``; ``drawn``, from the sample's seed; or the seed of the first sample's staining.
        sample_seed
            The sample's own seed.
        number
            Of the sample in its cohort, from 0.
        """
        if choice == "default":
            return cls.default()
        return cls.drawn(sample_seed if choice == "drawn" else choice + number)

    @property
    def vectors(self) -> NDArray[np.float64]:
        """Haematoxylin and eosin (rows) in red, green and blue (columns)."""
        return np.array([self.haematoxylin, self.eosin])

    @property
    def amounts(self) -> NDArray[np.float64]:
        """Absorbance of haematoxylin and eosin relative to the default, for their amounts and the section."""
        return np.array([self.haematoxylin_amount, self.eosin_amount]) * (self.section_um / REFERENCE_UM)

    def nuclei_seen(self, diameter_um: NDArray[np.floating]) -> NDArray[np.floating]:
        """Nuclei of a given diameter seen, relative to the reference section: (T + d) / (T0 + d), Abercrombie 1946."""
        return (self.section_um + diameter_um) / (REFERENCE_UM + diameter_um)

    def margin_px(self, um_per_px: float) -> int:
        """Pixels around a part of the picture on which its own pixels depend."""
        reach = _TRUNCATE * (self.blur_um + (_MASK_UM if self.sharpening else 0.0))
        return int(np.ceil(reach / um_per_px)) + 1 if reach else 0

    def scan(self, light: NDArray[np.floating], um_per_px: float) -> NDArray[np.floating]:
        """Turn light into levels as the scanner does; its noise, which belongs to the whole picture, is not in them.

        Parameters
        ----------
        light
            Rows x columns x 3: light that passes, 1 at bare glass.
        um_per_px
            Edge of a pixel.

        Returns
        -------
        Rows x columns x 3, 0 to 255 but for overshoots of the sharpening.
        """
        if self.blur_um:
            light = _blurred(light, self.blur_um / um_per_px)
        if self.saturation != 1:
            grey = light.mean(axis=2, keepdims=True)
            light = np.maximum(grey + self.saturation * (light - grey), 0)
        if self.gamma != 1:
            light = light**self.gamma
        levels: NDArray[np.floating] = np.array(self.white) * light
        if self.sharpening:
            levels = levels + self.sharpening * (levels - _blurred(levels, _MASK_UM / um_per_px))
        return levels

    def described(self) -> str:
        """All values in one line."""
        shown = {name: np.round(value, 3).tolist() for name, value in asdict(self).items()}
        return ", ".join(f"{name} {value}" for name, value in shown.items())


def _vector(
    rng: np.random.Generator, one: NDArray[np.floating], other: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Direction between two others, turned a little about any axis."""
    ends = np.stack([one, np.array(other)])
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    across = np.cross(*ends)
    between = Rotation.from_rotvec(across / np.linalg.norm(across) * np.arccos(ends[0] @ ends[1]) * rng.random())
    axis = rng.standard_normal(3)
    turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * radians(ROTATION_DEGREES) * rng.random())
    vector = np.maximum((turn * between).apply(ends[0]), 0)
    return _three(vector / np.linalg.norm(vector))


def _three(values: NDArray[np.floating]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _blurred(picture: NDArray[np.floating], sigma_px: float) -> NDArray[np.floating]:
    blurred: NDArray[np.floating] = gaussian_filter(
        picture, (sigma_px, sigma_px, 0), mode="nearest", truncate=_TRUNCATE
    )
    return blurred
