"""A pretrained image encoder from a local file: what it sees in patches of tissue, as further image features.

Any model of ``timm`` serves, which is an optional dependency: nothing is downloaded, weights come from the file alone.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.image_samples import GridImage
from clearspot.errors import BadInputError, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

COMPONENTS: Final = 8
"""Principal components of the encoder's features that are kept."""

_PATCH_UM: Final = 64.0
_UM_PER_POINT: Final = 1.0
_PATCHES_AT_ONCE: Final = 64


class Encoder:
    """An image model without its classifier.

    Parameters
    ----------
    model
        Gives ``(patches, features)`` for ``(patches, 3, side, side)``.
    side
        Pixels along a side of what it takes.
    mean, sd
        Of the colours (0 to 1) that it was trained on.
    """

    def __init__(self, model: nn.Module, side: int, mean: tuple[float, ...], sd: tuple[float, ...]):
        import torch

        self._model, self._side = model.eval().requires_grad_(False), side
        self._mean, self._sd = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, sd))

    @classmethod
    def open(cls, path: Path, architecture: str, sample: str) -> Encoder:
        """Read weights of a model of ``timm``.

        Parameters
        ----------
        path
            Weights: a checkpoint of PyTorch (read without running code) or safetensors.
        architecture
            Its name in ``timm``, such as ``resnet18``.
        sample
            Sample name, for messages.

        Raises
        ------
        BadInputError
            If ``timm`` is not installed, does not know the architecture, or the weights do not fit.
        """
        try:
            timm: Any = import_module("timm")
        except ImportError as error:
            mend = "Install timm, or leave the encoder out."
            raise BadInputError(Problem(sample, path.name, "timm is not installed", "timm", mend)) from error
        try:
            model: Any = timm.create_model(architecture, pretrained=False, num_classes=0, checkpoint_path=str(path))
        except Exception as error:  # whatever a foreign file brings about: timm raises many kinds
            mend = "Give the weights of this architecture as timm saves them, without a classifier."
            found = f"{type(error).__name__}: {str(error)[:200]}"
            raise BadInputError(Problem(sample, path.name, found, f"weights of {architecture}", mend)) from error
        about = model.pretrained_cfg
        return cls(model, int(about["input_size"][-1]), tuple(about["mean"]), tuple(about["std"]))

    def maps(self, image: GridImage, grid: FineGrid) -> NDArray[np.float32]:
        """Features of every bin, ``(components, rows, columns)``, not standardised.

        The image is cut into patches of about 64 um, whole bins wide; all bins of a patch get its features.

        Parameters
        ----------
        image
            The image.
        grid
            Rows and columns are multiples of 8.
        """
        import torch
        from sklearn.decomposition import PCA

        side = min((1, 2, 4, 8), key=lambda bins: abs(bins * grid.bin_um - _PATCH_UM))
        points = max(1, round(grid.bin_um / _UM_PER_POINT))
        rows, columns = grid.n_rows // side, grid.n_cols // side
        found = []
        for _, pixels, _ in image.strips(points, side):
            patches = pixels.reshape(side * points, columns, side * points, 3).transpose(1, 3, 0, 2)
            colours = torch.from_numpy(np.ascontiguousarray(patches)).float() / 255
            found += [self._features(part) for part in colours.split(_PATCHES_AT_ONCE)]
        features = torch.cat(found).numpy()
        kept = PCA(min(COMPONENTS, *features.shape), random_state=0).fit_transform(features)
        result = np.zeros((COMPONENTS, rows, columns), dtype=np.float32)
        result[: kept.shape[1]] = kept.T.reshape(-1, rows, columns)
        return result.repeat(side, axis=1).repeat(side, axis=2)

    def _features(self, colours: Tensor) -> Tensor:
        from torch import nn

        size = (self._side, self._side)
        resized = nn.functional.interpolate((colours - self._mean) / self._sd, size, mode="bilinear", antialias=True)
        features: Tensor = self._model(resized)
        return features
