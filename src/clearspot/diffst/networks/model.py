"""Both stages, the gene graph network and the gene head as one model that a checkpoint holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clearspot.diffst.data.gene_graph import GeneGraph
from clearspot.diffst.data.gene_inputs import n_inputs
from clearspot.diffst.networks.gene_head import GeneHead
from clearspot.diffst.networks.mean_net import MeanNet
from clearspot.diffst.networks.residual_diffusion import Denoiser
from clearspot.diffst.params import DiffstParams
from clearspot.nn.gene_graph_network import GeneGraphNetwork, gene_features


class DiffstModel(nn.Module):
    """MeanNet, denoiser, gene graph network and gene head.

    Parameters
    ----------
    n_programs, image_channels, pixels_per_bin, bin_um, paired
        Sizes, see :class:`MeanNet`.
    image_encoder
        Name of the image encoder among whose features it learned; empty: none.
    head_genes
        Genes of the gene head; none: there is no head.
    params
        Width and which parts there are.
    """

    residual_sd: Tensor

    def __init__(
        self,
        n_programs: int,
        image_channels: int,
        params: DiffstParams,
        *,
        pixels_per_bin: int = 0,
        bin_um: float = 20,
        paired: bool = False,
        image_encoder: str = "",
        head_genes: Sequence[str] = (),
    ):
        super().__init__()
        self.image_channels, self.pixels_per_bin, self.bin_um = image_channels, pixels_per_bin, bin_um
        self.image_encoder = image_encoder
        self.mean = MeanNet(
            n_programs,
            image_channels,
            params.width,
            pixels_per_bin=pixels_per_bin if params.pixels else 0,
            bin_um=bin_um,
            paired=paired,
            disentangle=params.disentangle,
            cross_attention=params.cross_attention,
        )
        self.genes = GeneGraphNetwork(n_programs) if params.gene_graph else None
        self.denoiser = (
            Denoiser(
                n_programs,
                image_channels,
                params.width,
                disentangle=params.disentangle,
                cross_attention=params.cross_attention,
            )
            if params.diffusion
            else None
        )
        self.head_genes = tuple(head_genes)
        self.head = (
            GeneHead(n_inputs(image_channels, len(self.head_genes)), len(self.head_genes)) if self.head_genes else None
        )
        self.register_buffer("residual_sd", torch.ones(n_programs))

    def gene_loadings(self, loadings: Tensor, graph: GeneGraph | None) -> Tensor:
        """Loadings ``(programs, genes)`` as corrected by the genes' neighbours; each program still sums to one."""
        if self.genes is None or graph is None:
            return loadings
        edges = torch.from_numpy(graph.edges).to(loadings.device)
        weights = torch.from_numpy(graph.weights).to(loadings.device)
        corrected = loadings * self.genes(gene_features(loadings), edges, weights)
        return corrected / corrected.sum(dim=1, keepdim=True) * loadings.sum(dim=1, keepdim=True)

    @torch.no_grad()
    def corrected_loadings(self, loadings: NDArray[np.float32], graph: GeneGraph | None) -> NDArray[np.float32]:
        """The same for arrays, ``(programs, genes)``."""
        device = self.residual_sd.device
        return np.asarray(self.gene_loadings(torch.from_numpy(loadings).to(device), graph).cpu().numpy())
