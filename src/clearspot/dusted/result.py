"""Results of a denoising run that are not stored in the AnnData."""

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
        Settings of the run.
    embedding
        Latent values and attention of the modelled spots.
    barcodes
        Names of the modelled spots, in the same order.
    training
        One row per epoch: ``epoch``, ``loss``, ``learning_rate`` and, if counts are held out, ``held_out``.
    gene_attention
        Gene channel attention ``A_gc`` per gene; ``None`` if it is disabled, or for several sections.
    sections
        For several sections: the result of each, by name.
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
        """Write loss curve, attention and gene attention next to the checkpoint, each file atomically.

        Parameters
        ----------
        folder
            Existing folder; the files are ``<sample>.dusted_loss.csv``, ``<sample>.dusted_attention.npz`` and
            ``<sample>.dusted_gene_attention.csv``; for several sections, one set per section.
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
