"""Shared and private features of histology and expression, each modality modulating the other."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as PyTorch's own documentation has it
from torch import Tensor, nn

from clearspot.nn.pixel_norm import PixelNorm

RADIUS = 1
"""Pixels that a fused feature sees in every direction."""


class Fusion(nn.Module):
    """Fuse two modalities, of which either may be missing at any pixel.

    With ``disentangle`` each modality is encoded into a shared part (what both say) and a private part (what only it
    can know). The shared parts are averaged over what is there; each private part is scaled and shifted by the other
    modality (cross-modal adaptive modulation). Without, the two encodings are put side by side: the ablation.

    Parameters
    ----------
    image_channels, expression_channels
        Of the two inputs.
    width
        Channels of each part; the output has ``3 * width + 2``.
    disentangle
        Off: the ablation.
    """

    def __init__(self, image_channels: int, expression_channels: int, width: int, *, disentangle: bool = True):
        super().__init__()
        self.disentangle = disentangle
        self.out_channels = 3 * width + 2
        hidden = 2 * width if disentangle else width + width // 2
        self.image = _encoder(image_channels, hidden)
        self.expression = _encoder(expression_channels, 3 * width - hidden if not disentangle else hidden)
        if disentangle:
            self.image_modulates = nn.Conv2d(hidden, 2 * width, 1)
            self.expression_modulates = nn.Conv2d(hidden, 2 * width, 1)
            for layer in (self.image_modulates, self.expression_modulates):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(torch.as_tensor(layer.bias))

    def forward(
        self, image: Tensor, image_valid: Tensor, expression: Tensor, expression_valid: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Fuse.

        Parameters
        ----------
        image, expression
            ``(batch, channels, rows, columns)``.
        image_valid, expression_valid
            ``(batch, 1, rows, columns)``, 0 or 1: where it is 0, that modality contributes nothing.

        Returns
        -------
        Features ``(batch, out_channels, rows, columns)``, and the disentangling loss, a number from 0 to 4.
        """
        from_image = self.image(image * image_valid) * image_valid
        from_expression = self.expression(expression * expression_valid) * expression_valid
        if not self.disentangle:
            fused = torch.cat([from_image, from_expression, image_valid, expression_valid], dim=1)
            return fused, image.new_zeros(())
        shared_image, private_image = from_image.chunk(2, dim=1)
        shared_expression, private_expression = from_expression.chunk(2, dim=1)
        shared = (shared_image + shared_expression) / (image_valid + expression_valid).clamp(min=1)
        scale, shift = self.expression_modulates(from_expression).chunk(2, dim=1)
        modulated_image = (
            private_image * (1 + torch.tanh(scale) * expression_valid) + shift * expression_valid
        ) * image_valid
        scale, shift = self.image_modulates(from_image).chunk(2, dim=1)
        modulated_expression = (
            private_expression * (1 + torch.tanh(scale) * image_valid) + shift * image_valid
        ) * expression_valid
        fused = torch.cat([shared, modulated_image, modulated_expression, image_valid, expression_valid], dim=1)
        loss = disentangling_loss(
            shared_image, private_image, shared_expression, private_expression, image_valid * expression_valid
        )
        return fused, loss


def disentangling_loss(
    shared_image: Tensor, private_image: Tensor, shared_expression: Tensor, private_expression: Tensor, both: Tensor
) -> Tensor:
    """Shared parts should point the same way, private parts stand at right angles to the shared ones.

    The paper's loss is a ratio that falls when the private features merely grow; cosines are bounded and blind to
    length.

    Parameters
    ----------
    shared_image, private_image, shared_expression, private_expression
        ``(batch, width, rows, columns)``.
    both
        ``(batch, 1, rows, columns)``: 1 where both modalities are there; nothing else counts.

    Returns
    -------
    Mean over those pixels of ``1 - cos(shared, shared') + cos(shared, private)**2 + cos(shared', private')**2``:
    between 0 and 4, and 0 where no pixel has both.
    """
    agree = 1 - F.cosine_similarity(shared_image, shared_expression, dim=1)
    apart = F.cosine_similarity(shared_image, private_image, dim=1) ** 2
    apart = apart + F.cosine_similarity(shared_expression, private_expression, dim=1) ** 2
    weight = both[:, 0]
    return ((agree + apart) * weight).sum() / weight.sum().clamp(min=1)


def _encoder(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=RADIUS),
        PixelNorm(out_channels),
        nn.SiLU(),
        nn.Conv2d(out_channels, out_channels, 1),
    )
