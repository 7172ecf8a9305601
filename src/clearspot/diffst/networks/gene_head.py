"""The gene head: a rate of every gene in a bin, without programs."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn

HIDDEN: Final = 256
"""Hidden units."""


class GeneHead(nn.Module):
    """A perceptron that looks at one bin: at the image in several surroundings, and at the spots' means of all genes.

    Programs hold what genes have in common; this network has an output for each gene. It sees no shapes, as the mean
    network does, so that the two err in different places.

    Parameters
    ----------
    n_inputs
        Values that it is shown of a bin, see :class:`clearspot.diffst.data.gene_inputs.GeneInputs`.
    n_genes
        Genes.
    """

    def __init__(self, n_inputs: int, n_genes: int):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(n_inputs, HIDDEN), nn.SiLU())
        self.last = nn.Linear(HIDDEN, n_genes)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logarithm of the rates ``(bins, genes)``, in units of a gene's density, of inputs ``(bins, n_inputs)``."""
        logarithm: Tensor = self.last(self.hidden(inputs))
        return logarithm
