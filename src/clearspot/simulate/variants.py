"""Other feature lists for the same tissue: probe sets, antibodies, two genomes."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clearspot.simulate.genes import GENOME, PROGRAMS, Panel

PROBE_SET: Final = "Visium Human Transcriptome Probe Set v2.0"

_LYMPHOID: Final = ("b_cell", "gc_b_cell", "t_cell", "plasma_cell")
_ANTIBODIES: Final = {
    "CD3E.1": ("t_cell",),
    "MS4A1.1": ("b_cell", "gc_b_cell"),
    "PTPRC.1": (*_LYMPHOID, "macrophage"),
    "CD68.1": ("macrophage",),
    "PECAM1.1": ("endothelial",),
    "EPCAM.1": ("enterocyte", "goblet"),
    "ACTA2.1": ("myocyte",),
    "VIM.1": ("fibroblast", "endothelial"),
    "mouse_IgG2a": (),
}
_MOUSE_TYPES: Final = ("fibroblast", "endothelial", "macrophage", "myocyte", "glia")


def probe_panel(rng: np.random.Generator, panel: Panel) -> Panel:
    """Genes of a probe set: no mitochondrial and ribosomal ones, each gene with its probes' own efficiency."""
    seen = ~panel.var.index.str.match(r"MT-|RP[SL]")
    probes = panel.subset(np.flatnonzero(seen))
    return Panel(probes.var, probes.loadings * np.exp(rng.normal(0, 0.4, len(probes.var)) - 0.08))


def add_antibodies(panel: Panel) -> Panel:
    """Append antibodies: abundant on the cell types that carry the protein, with unspecific binding everywhere."""
    loadings = np.full((len(PROGRAMS), len(_ANTIBODIES)), 0.004)
    for column, types in enumerate(_ANTIBODIES.values()):
        loadings[[PROGRAMS.index(name) for name in types], column] = 0.15
    var = pd.DataFrame(
        {
            "gene_ids": list(_ANTIBODIES),
            "feature_types": "Antibody Capture",
            "genome": "",
            "role": "antibody",
            "program": [types[0] if types else "" for types in _ANTIBODIES.values()],
            "dispersion": 4.0,
        },
        index=list(_ANTIBODIES),
    )
    return Panel(pd.concat([panel.var, var]), np.hstack([panel.loadings, loadings]))


def add_second_genome(panel: Panel) -> Panel:
    """Make a xenograft of it: the stroma's RNA comes from mouse genes of the same names, the rest stays human.

    Names and ids carry the genome in front, as Space Ranger writes them for a reference of two genomes.
    """
    mouse_rows = np.array([name in _MOUSE_TYPES for name in PROGRAMS])
    human, mouse = panel.var.copy(), panel.var.copy()
    human.index = [f"{GENOME}_{name}" for name in panel.var.index]
    human["gene_ids"] = [f"{GENOME}_{number}" for number in panel.var["gene_ids"]]
    mouse.index = [f"mm10___{name.capitalize()}" for name in panel.var.index]
    mouse["gene_ids"] = [f"mm10___{number.replace('ENSG', 'ENSMUSG')}" for number in panel.var["gene_ids"]]
    mouse["genome"] = "mm10"
    loadings = np.hstack([panel.loadings * ~mouse_rows[:, None], panel.loadings * mouse_rows[:, None]])
    return Panel(pd.concat([human, mouse]), loadings)
