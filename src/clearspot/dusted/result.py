"""What a denoising run leaves behind besides the values in the AnnData."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.dusted.inference import Embedding
from clearspot.dusted.params import DustedParams
from clearspot.io.atomic import atomic_path
from clearspot.notebook.shown import as_html, as_line
from clearspot.record import StepRecord


@dataclass(frozen=True, repr=False)
class DustedResult:
    """Record and model outputs of one run.

    Parameters
    ----------
    record
        Metrics, settings, tables and messages of the step ``dusted``.
    params
        The settings that were used.
    embedding
        Latent values and attention, spots counted among those that were modelled.
    barcodes
        Names of the modelled spots, in that order.
    training
        One row an epoch: ``epoch``, ``loss``, ``learning_rate`` and, with a hold-out, ``held_out``.
    gene_attention
        ``A_gc`` by gene; ``None`` without gene channel attention, and of several sections together.
    sections
        Where there were several: the result of each, by name.
    """

    record: StepRecord
    params: DustedParams
    embedding: Embedding
    barcodes: tuple[str, ...]
    training: pd.DataFrame
    gene_attention: pd.Series | None
    sections: Mapping[str, DustedResult] = field(default_factory=dict)

    def __repr__(self) -> str:
        return as_line(self.record, type(self).__name__)

    def _repr_html_(self) -> str:
        return as_html(self.record)

    def write_tables(self, folder: Path) -> None:
        """Write loss curve, attention and gene attention beside the checkpoint; each file whole or not at all.

        Parameters
        ----------
        folder
            Existing folder; the files are ``<sample>.dusted_loss.csv``, ``<sample>.dusted_attention.npz`` and
            ``<sample>.dusted_gene_attention.csv``; of several sections, a set of each.
        """
        folder = Path(folder)
        for one in self.sections.values():
            one.write_tables(folder)
        if self.sections:
            return
        sample = self.record.sample
        with atomic_path(folder / keys.dusted_loss_name(sample)) as partial:
            self.training.to_csv(partial, index=False)
        with atomic_path(folder / keys.dusted_attention_name(sample)) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                barcodes=np.array(self.barcodes, dtype=np.str_),
                receiver=self.embedding.receiver.astype(np.int32),
                neighbour=self.embedding.neighbour.astype(np.int32),
                attention_layer1=self.embedding.outer,
                attention_layer2=self.embedding.inner,
            )
        if self.gene_attention is not None:
            with atomic_path(folder / keys.dusted_gene_attention_name(sample)) as partial:
                self.gene_attention.sort_values(ascending=False).to_csv(partial, index_label="gene")
