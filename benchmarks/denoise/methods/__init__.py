"""Every method as one function ``denoise(case, seed) -> list[Denoised]``; with settings, one result a setting."""

from __future__ import annotations

from collections.abc import Callable

from sections import Case

from methods.averages import gene_mean, neighbours, raw, type_mean
from methods.common import Denoised
from methods.dca import dca
from methods.dusted import (
    dusted_2_hops,
    dusted_3_hops,
    dusted_batches,
    dusted_default,
    dusted_no_gene_attention,
    dusted_paper,
)
from methods.knn_smoothing import knn_smoothing
from methods.magic import magic
from methods.scvi_vae import scvi
from methods.stagate import stagate

METHODS: dict[str, Callable[[Case, int], list[Denoised]]] = {
    "gene_mean": gene_mean,
    "raw": raw,
    "type_mean": type_mean,
    "neighbours": neighbours,
    "magic": magic,
    "knn_smoothing": knn_smoothing,
    "stagate": stagate,
    "dca": dca,
    "scvi": scvi,
    "dusted": dusted_default,
    "dusted_paper": dusted_paper,
    "dusted_no_gene_attention": dusted_no_gene_attention,
    "dusted_2_hops": dusted_2_hops,
    "dusted_3_hops": dusted_3_hops,
    "dusted_batches": dusted_batches,
}

OURS = tuple(name for name in METHODS if name.startswith("dusted"))
