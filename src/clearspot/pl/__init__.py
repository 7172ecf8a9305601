"""The maps of the report as matplotlib figures. Each function draws on ``ax`` or a new figure, and returns the axes."""

from clearspot.pl.domain_map import domains
from clearspot.pl.gene_maps import genes
from clearspot.pl.spot_map import spots
from clearspot.pl.superres_map import superres

__all__ = ["domains", "genes", "spots", "superres"]
