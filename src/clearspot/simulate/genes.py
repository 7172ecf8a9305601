"""The gene panel: which genes there are, which program drives each, how abundant and how noisy it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clearspot.simulate.cells import TYPE_NAMES
from clearspot.simulate.tissue import DOMAINS

GRADIENTS: Final = ("gradient_crypt", "gradient_lateral")
FIELDS: Final = ("hypoxia", "inflammation")
NON_SPATIAL: Final = ("cell_cycle", "stress")
PROGRAMS: Final = (*TYPE_NAMES, *DOMAINS, *GRADIENTS, *FIELDS, *NON_SPATIAL, "mitochondrial")
"""Names of all expression programs: one a cell type, one a domain, and those that cells share across types."""

# Human symbols with the number of their Ensembl gene id (GENCODE), by the program that drives them.
_KNOWN: Final[dict[str, dict[str, int]]] = {
    "enterocyte": {"FABP1": 163586, "KRT20": 171431, "SLC26A3": 91138, "CA1": 133742, "CEACAM7": 7306, "AQP8": 103375},
    "goblet": {"MUC2": 198788, "TFF3": 160180, "SPINK4": 122711, "FCGBP": 275395, "ZG16": 174992, "CLCA1": 16490},
    "fibroblast": {"COL1A1": 108821, "COL3A1": 168542, "DCN": 11465, "LUM": 139329, "COL1A2": 164692, "FBLN1": 77942},
    "myocyte": {"MYH11": 133392, "DES": 175084, "ACTG2": 163017, "CNN1": 130176, "TAGLN": 149591, "SYNPO2": 172403},
    "b_cell": {"MS4A1": 156738, "CD79A": 105369, "BANK1": 153064, "CD19": 177455, "CD37": 104894},
    "t_cell": {"CD3E": 198851, "CD3D": 167286, "IL7R": 168685, "TRAC": 277734, "CD2": 116824},
    "gc_b_cell": {"BCL6": 113916, "AICDA": 111732, "RGS13": 127074, "MEF2B": 213999, "TCL1A": 100721},
    "plasma_cell": {"JCHAIN": 132465, "MZB1": 170476, "IGHA1": 211895, "IGKC": 211592, "XBP1": 100219},
    "macrophage": {"C1QA": 173372, "CD68": 129226, "CD163": 177575, "LYZ": 90382, "C1QB": 173369},
    "endothelial": {"PECAM1": 261371, "VWF": 110799, "CDH5": 179776, "PLVAP": 130300, "CLDN5": 184113},
    "glia": {"S100B": 160307, "PLP1": 123560, "CDH19": 71991, "SOX10": 100146, "NRXN1": 179915},
    "erythrocyte": {"HBB": 244734, "HBA2": 188536, "HBA1": 206172, "ALAS2": 158578},
    "epithelium": {"EPCAM": 119888, "KRT8": 170421, "CDH1": 39068, "CLDN7": 181885},
    "mucosa": {"ADAMDEC1": 134028, "CCL8": 108700, "APOE": 130203, "CXCL14": 145824},
    "muscularis_mucosae": {"NPNT": 168743, "F13A1": 124491, "PRPH": 135406},
    "submucosa": {"PI16": 164530, "CCDC80": 91986, "FN1": 115414, "MFAP5": 197614},
    "follicle": {"CXCL13": 156234, "CR2": 117322, "CCL19": 172724, "CCL21": 137077},
    "germinal_centre": {"FDCSP": 181617, "CLU": 120885, "ELL3": 128886},
    "muscle": {"ACTA2": 107796, "SYNM": 182253, "PLN": 198523, "CASQ2": 118729},
    "septum": {"COMP": 105664, "THBS4": 113296, "TNMD": 5},
    "plexus": {"ELAVL4": 162374, "UCHL1": 154277, "GAP43": 172020},
    "vessel": {"NOTCH3": 74181, "RGS5": 143248, "MCAM": 76706},
    "gradient_crypt": {"OLFM4": 102837, "LGR5": 139292, "ASCL2": 183734, "SLC12A2": 64651},
    "gradient_lateral": {"HOXA13": 106031, "SATB2": 119042, "PRAC1": 159182},
    "hypoxia": {"CA9": 107159, "VEGFA": 112715, "NDRG1": 104419, "ADM": 148926},
    "inflammation": {"S100A8": 143546, "S100A9": 163220, "CXCL8": 169429, "IL1B": 125538},
    "cell_cycle": {"MKI67": 148773, "TOP2A": 131747, "PCNA": 132646, "CCNB1": 134057, "TYMS": 176890},
    "stress": {"HSPA1A": 204389, "HSPA1B": 204388, "FOS": 170345, "JUN": 177606, "DNAJB1": 132002},
    "mitochondrial": {
        **{"MT-CO1": 198804, "MT-CO2": 198712, "MT-CO3": 198938, "MT-ND1": 198888, "MT-ND2": 198763},
        **{"MT-ND3": 198840, "MT-ND4": 198886, "MT-ND4L": 212907, "MT-ND5": 198786, "MT-ND6": 198695},
        **{"MT-ATP6": 198899, "MT-ATP8": 228253, "MT-CYB": 198727},
    },
    "ribosomal": {
        **{"RPS3": 149273, "RPS6": 137154, "RPS18": 231500, "RPS27": 177954, "RPL3": 100316, "RPL7": 147604},
        **{"RPL13": 167526, "RPL32": 144713, "RPLP0": 89157, "RPLP1": 137818},
    },
    "housekeeping": {
        **{"ACTB": 75624, "GAPDH": 111640, "B2M": 166710, "EEF1A1": 156508, "TMSB4X": 205542, "UBC": 150991},
        **{"PPIA": 196262, "TPT1": 133112, "HPRT1": 165704, "TBP": 112592, "SDHA": 73578, "YWHAZ": 164924},
    },
}

# What the made-up genes that fill the panel do; "variable" genes differ between types without being markers.
_FILL_SHARES: Final = {
    "housekeeping": 0.24,
    "variable": 0.24,
    "noise": 0.16,
    "type": 0.16,
    "domain": 0.10,
    "other": 0.10,
}

GENOME: Final = "GRCh38"


@dataclass(frozen=True)
class Panel:
    """Genes and the programs that drive them.

    Parameters
    ----------
    var
        One row a gene, indexed by symbol: ``gene_ids``, ``feature_types``, ``genome``, ``role`` (``program``,
        ``variable``, ``housekeeping``, ``ribosomal`` or ``noise``), ``program`` (its driver, or empty) and
        ``dispersion`` (theta of the negative binomial: variance = mean + mean^2 / theta).
    loadings
        float64, programs x genes, rows sum to 1: which share of a program's RNA each gene makes up.
    """

    var: pd.DataFrame
    loadings: np.ndarray

    def subset(self, genes: np.ndarray) -> Panel:
        """Return the panel of some genes (positions or mask); loadings are not scaled up for what was left out."""
        return Panel(self.var.iloc[genes], self.loadings[:, genes])


def make_panel(rng: np.random.Generator, n_genes: int) -> Panel:
    """Make a panel of ``n_genes`` genes: known markers first, then made-up ones (``SIM0001``, ids ``ENSG009...``).

    Raises
    ------
    ValueError
        With fewer genes than programs: each must have a marker.
    """
    if n_genes < len(PROGRAMS):
        raise ValueError(f"a panel needs at least {len(PROGRAMS)} genes, one per program, not {n_genes}")
    var = pd.concat([_known_genes(), _made_up_genes(rng, n_genes)]).iloc[:n_genes]
    abundance = np.exp(rng.normal(0, 1.25, n_genes))
    role, program = var["role"].to_numpy(), var["program"].to_numpy()
    typical = np.median(abundance)
    abundance[role == "ribosomal"] = typical * np.exp(rng.normal(1.8, 0.4, (role == "ribosomal").sum()))
    # Markers are neither the rarest nor the most abundant genes.
    marker = role == "program"
    abundance[marker] = typical * np.exp(rng.normal(0, 0.7, marker.sum()))
    loadings = np.stack([_loading(rng, name, abundance, role, program) for name in PROGRAMS])
    theta = np.exp(rng.normal(np.log(6.0), 0.5, n_genes))
    theta[role == "noise"] = np.exp(rng.normal(np.log(1.2), 0.3, (role == "noise").sum()))
    theta[np.isin(role, ["housekeeping", "ribosomal"])] *= 3
    var["dispersion"] = theta
    # Reference order is not the order of roles.
    return Panel(var, loadings).subset(rng.permutation(n_genes))


def _loading(
    rng: np.random.Generator, name: str, abundance: np.ndarray, role: np.ndarray, program: np.ndarray
) -> np.ndarray:
    own = program == name
    if name not in TYPE_NAMES:
        weight = np.where(own, abundance, 0.0)
        return weight / weight.sum()
    # A type's profile: everything that all cells express, its own markers raised, the markers of others low.
    weight = abundance.copy()
    variable = role == "variable"
    weight[variable] *= np.exp(rng.normal(0, 0.8, variable.sum()))
    of_types = np.isin(program, TYPE_NAMES)
    weight[of_types & ~own] *= 0.02
    weight[own] *= np.exp(rng.normal(np.log(9), 0.5, own.sum()))
    weight[(role == "program") & ~of_types] = 0.0
    if name == "erythrocyte":
        weight[~own] *= 0.03
    # Genes that every cell expresses alike make up the same share of every type.
    flat = np.isin(role, ["housekeeping", "noise", "ribosomal"])
    flat_share = 0.03 if name == "erythrocyte" else 0.45
    if flat.any() and weight[~flat].sum() > 0:
        weight[flat] *= flat_share / weight[flat].sum()
        weight[~flat] *= (1 - flat_share) / weight[~flat].sum()
    return weight / weight.sum()


def _known_genes() -> pd.DataFrame:
    """Known genes in an order of which any beginning holds as many of each program."""
    rows = []
    for group, genes in _KNOWN.items():
        role = group if group in {"ribosomal", "housekeeping"} else "program"
        for rank, (symbol, number) in enumerate(genes.items()):
            # Flat genes come after the first marker of every program, so that a panel of any size has both.
            place = rank if role == "program" else rank + 0.5
            rows.append((place, symbol, f"ENSG{number:011d}", role, group if role == "program" else ""))
    rows.sort(key=lambda row: row[0])
    return _frame([row[1:] for row in rows])


def _made_up_genes(rng: np.random.Generator, n_genes: int) -> pd.DataFrame:
    count = max(n_genes - sum(map(len, _KNOWN.values())), 0)
    kinds = rng.permutation(
        np.repeat(list(_FILL_SHARES), np.ceil(np.array(list(_FILL_SHARES.values())) * count).astype(int))
    )
    drivers = {"type": TYPE_NAMES, "domain": DOMAINS, "other": (*GRADIENTS, *FIELDS, *NON_SPATIAL)}
    rows = []
    for number, kind in enumerate(kinds[:count], start=1):
        program = str(rng.choice(drivers[kind])) if kind in drivers else ""
        rows.append((f"SIM{number:05d}", f"ENSG009{number:08d}", "program" if program else str(kind), program))
    return _frame(rows)


def _frame(rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["symbol", "gene_ids", "role", "program"]).set_index("symbol")
    frame.insert(1, "feature_types", "Gene Expression")
    frame.insert(2, "genome", GENOME)
    return frame
