"""Lists of genes that users hand over: one parser and one lookup for every step.

**What a list may look like.** Names stand one a line, or several on a line with blanks, tabs, commas or semicolons
between them: all of them count. Empty lines, what follows a ``#``, quotes, a byte order mark and repeated names are
left out. A file is read as a table, of which one column counts, in two cases:

- Its first line is a header: one of the cells is a usual name for a gene's column (``gene``, ``symbol``, ``gene_id``,
  ``feature_name``, ...). The column under it counts, symbols before ids.
- It has no header, but two lines or more, each with the same number of cells, and one of the cells after the first
  column cannot be a gene (a number, an empty cell, words with blanks between them), or a whole column of them repeats
  few labels, or gives the ids to the first column's symbols or the other way round. The first column counts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clearspot import keys
from clearspot.errors import BadInputError, Problem

if TYPE_CHECKING:
    # settings are parsed here too, and --help must not wait for the imports
    import anndata as ad
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

GENES_OF_INTEREST: Final = "genes of interest"
"""What every step's messages call the genes that are looked at whether or not they vary."""

_SUFFIXES: Final = (".txt", ".csv", ".tsv", ".list")
_SEPARATORS: Final = ("\t", ";", ",")
_SYMBOL_HEADERS: Final = frozenset(
    ("gene", "symbol", "genesymbol", "genename", "hgncsymbol", "mgisymbol", "name", "feature", "featurename", "marker")
)
_ID_HEADERS: Final = frozenset(("id", "geneid", "ensembl", "ensemblid", "ensemblgeneid", "featureid"))
"""Headers in the singular, without blanks and punctuation."""

_SYMBOL_COLUMNS: Final = ("gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "symbol", "symbols")
_ID_COLUMNS: Final = (keys.GENE_IDS, "gene_id", "ensembl_id", "feature_id")
_ID: Final = re.compile(r"(ENS[A-Z]*[GTP]\d{6,}|FBgn\d+|WBGene\d+)(?:\.\d+)?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|nan|inf", re.IGNORECASE)
_FEWEST_LABELLED: Final = 4

_SHOWN: Final = 10
"""Absent names that are written out, each with the nearest symbols. A longer list of absent genes means another species
or another kind of name, not misprints."""


def read_gene_list(path: Path | str, sample: str = "all samples") -> tuple[str, ...]:
    """Read the gene names of a file; see the module for what it may look like.

    Parameters
    ----------
    path
        Text file: UTF-8, UTF-16 with its mark (Excel's "Unicode text"), or Latin-1.
    sample
        Name for the message.

    Raises
    ------
    BadInputError
        If the file cannot be read, is not text, or holds no name.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _bad_file(path, sample, f"a file that cannot be read ({error.strerror})") from error
    text = _decoded(content)
    if text is None:
        raise _bad_file(path, sample, "not a text file")
    names = parse_gene_list(text)
    if not names:
        raise _bad_file(path, sample, "no gene names in the file")
    return names


def parse_gene_list(text: str) -> tuple[str, ...]:
    """Gene names of a text, in its order and each once; see the module for what it may look like."""
    lines = [line.split("#", 1)[0].rstrip(" \t\r,;") for line in text.lstrip("\ufeff").splitlines()]
    return tuple(dict.fromkeys(name for name in _names([line for line in lines if line.strip()]) if name))


def gene_names(genes: str | Iterable[str]) -> tuple[str, ...]:
    """Gene names of a setting: a text as in a file, or any collection of names; each once."""
    if isinstance(genes, str):
        return parse_gene_list(genes)
    return tuple(dict.fromkeys(str(name).strip() for name in genes))


def gene_choice(
    genes: str | Path | Iterable[str], sample: str = "all samples", keywords: Iterable[str] = ("hvg", "all")
) -> str | tuple[str, ...]:
    """Genes as an option or a setting states them.

    Parameters
    ----------
    genes
        A keyword, the path of a file, a text with names, or a collection of names.
    sample
        Name for the message.
    keywords
        Words that stand for a set of genes and are returned as they are.

    Raises
    ------
    BadInputError
        If a file is named that cannot be used, see :func:`read_gene_list`.
    """
    if isinstance(genes, Path):
        return read_gene_list(genes, sample)
    if not isinstance(genes, str):
        return gene_names(genes)
    if genes in keywords:
        return genes
    looks_like_a_path = "/" in genes or Path(genes).suffix.lower() in _SUFFIXES
    if looks_like_a_path or ("\n" not in genes and Path(genes).is_file()):
        return read_gene_list(genes, sample)
    return gene_names(genes)


@dataclass(frozen=True)
class GeneLookup:
    """Genes of a list and where they stand.

    Parameters
    ----------
    columns
        Columns of the genes that were found, ascending, each once.
    absent
        Names that were not found; each of the first ten with the nearest symbols.
    n_names
        Number of names in the list.
    """

    columns: NDArray[np.intp]
    absent: Mapping[str, tuple[str, ...]]
    n_names: int

    def mask(self, n_vars: int) -> NDArray[np.bool_]:
        """The columns as a mask of length ``n_vars``."""
        import numpy as np

        mask = np.zeros(n_vars, dtype=bool)
        mask[self.columns] = True
        return mask

    def warning(self, what: str) -> str | None:
        """Sentence that names the absent genes of the list of ``what``; ``None`` where all were found."""
        if not self.absent:
            return None
        return f"{len(self.absent)} of {self.n_names} {what} are not in the sample: {self.absent_words()}."

    def absent_words(self) -> str:
        """The first ten absent names with their nearest symbols, and how many more there are."""
        shown = [
            f"{name} (nearest: {', '.join(near)})" if near else name
            for name, near in list(self.absent.items())[:_SHOWN]
        ]
        more = len(self.absent) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")


def look_up_genes(genes: ad.AnnData | pd.DataFrame, names: Sequence[str]) -> GeneLookup:
    """Find genes by symbol or id.

    A name is looked for, in this order, among the index of ``var``, its columns of symbols and of gene ids as it is
    written; among the ids without their version (``ENSG00000198851.10``); and then in the same places whatever its
    case, as long as only one gene has it. A name that several genes have as it is written stands for all of them.

    Parameters
    ----------
    genes
        An AnnData or its ``var``.
    names
        Symbols or ids.
    """
    import numpy as np

    var = _var(genes)
    index = var.index.astype(str)
    ids = [var[column].astype(str) for column in _ID_COLUMNS if column in var]
    places = [index, *(var[column].astype(str) for column in _SYMBOL_COLUMNS if column in var), *ids]
    exact = [_rows_by_name(place) for place in places]
    bare = [_rows_by_name(map(_without_version, place)) for place in [*ids, index]]
    folded = [_rows_by_name(name.casefold() for name in place) for place in places]
    found: list[int] = []
    absent: dict[str, tuple[str, ...]] = {}
    for name in names:
        rows = next((place[name] for place in exact if name in place), None)
        if rows is None and _ID.fullmatch(name):
            rows = next((place[key] for place in bare if (key := _without_version(name)) in place), None)
        if rows is None:
            rows = next((place[key] for place in folded if len(place.get(key := name.casefold(), ())) == 1), None)
        if rows is None:
            absent[name] = _nearest(name, index, folded[0]) if len(absent) < _SHOWN else ()
        else:
            found += rows
    return GeneLookup(np.unique(np.asarray(found, dtype=np.intp)), absent, len(names))


def find_genes(genes: ad.AnnData | pd.DataFrame, names: Sequence[str], sample: str, what: str) -> GeneLookup:
    """Find genes as :func:`look_up_genes` does, and refuse a list of which the sample has nothing.

    Parameters
    ----------
    genes, names
        As for :func:`look_up_genes`.
    sample
        Sample name.
    what
        What the list is of, in the plural: ``genes of interest``.

    Raises
    ------
    BadInputError
        If there are names, and none of them is found.
    """
    lookup = look_up_genes(genes, names)
    if names and not lookup.columns.size:
        raise BadInputError(
            Problem(
                sample,
                f"list of {what}",
                f"none of the {len(names)} names is a gene of the sample: {lookup.absent_words()}",
                f"gene symbols or gene ids of the sample, such as {', '.join(_var(genes).index[:3].astype(str))}",
                "Use the gene names of the sample's reference genome, or leave the list out.",
            )
        )
    return lookup


def _var(genes: ad.AnnData | pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return genes if isinstance(genes, pd.DataFrame) else genes.var


def _names(lines: list[str]) -> Iterable[str]:
    separator = next((one for one in _SEPARATORS if lines and all(one in line for line in lines)), None)
    rows = [_cells(line, separator) for line in lines]
    column = _header_column(rows[0]) if rows else None
    if column is not None:
        header, below = rows[0], rows[1:]
        if separator is None and all(_as_header(cell) in _SYMBOL_HEADERS | _ID_HEADERS for cell in header):
            return _names(lines[1:])
        if not below:
            return [cell for number, cell in enumerate(header) if number != column]
        # R leaves out the header of the row names
        column += all(len(row) == len(header) + 1 for row in below)
        return [row[column] for row in below if len(row) > column]
    if separator is not None and _is_table(rows):
        return [row[0] for row in rows]
    return [_unquoted(word) for line in lines for word in re.split(r"[\s,;]+", line)]


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return [_unquoted(word) for word in re.split(r"[\s,;]+", line.strip())]
    return [_unquoted(cell) for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\""
    return cell[1:-1].strip() if quoted else cell.strip('"')


def _as_header(cell: str) -> str:
    return re.sub(r"[\s_.:-]+", "", cell).casefold().removesuffix("s")


def _header_column(cells: list[str]) -> int | None:
    plain = [_as_header(cell) for cell in cells]
    for usual in (_SYMBOL_HEADERS, _ID_HEADERS):
        for column, name in enumerate(plain):
            if name in usual:
                return column
    return None


def _is_table(rows: list[list[str]]) -> bool:
    width = len(rows[0])
    if len(rows) < 2 or width < 2 or any(len(row) != width for row in rows):
        return False
    first, *others = zip(*rows, strict=True)
    return any(_cannot_be_genes(column, first) for column in others)


def _cannot_be_genes(column: Sequence[str], first: Sequence[str]) -> bool:
    if any(not cell or re.search(r"\s", cell) or _NUMBER.fullmatch(cell) for cell in column):
        return True
    if len(column) >= _FEWEST_LABELLED and len(set(column)) <= len(column) / 2:
        return True
    ids, first_ids = (all(_ID.fullmatch(cell) for cell in cells) for cells in (column, first))
    return ids != first_ids


def _decoded(content: bytes) -> str | None:
    """Text of a file; ``None`` where it is not text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if any(byte in content for byte in (b"\0", b"\x1a", b"\x03", b"\x04")) or content.startswith(b"\x1f\x8b"):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _bad_file(path: Path, sample: str, found: str) -> BadInputError:
    mend = "Provide a text or CSV file with one gene name per line."
    return BadInputError(Problem(sample, path.name, found, "a list of gene symbols or gene ids", mend))


def _rows_by_name(names: Iterable[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return rows


def _without_version(gene_id: str) -> str:
    match = _ID.fullmatch(gene_id)
    return match[1].upper() if match else gene_id


def _nearest(name: str, symbols: pd.Index, by_folded: Mapping[str, list[int]]) -> tuple[str, ...]:
    if _ID.fullmatch(name):  # the number next to an id's is another gene's
        return ()
    folded = name.casefold()
    if folded in by_folded:  # several genes that differ in case only
        return tuple(symbols[row] for row in by_folded[folded][:3])
    alike = [one for one in by_folded if abs(len(one) - len(folded)) <= 2]
    return tuple(symbols[by_folded[one][0]] for one in get_close_matches(folded, alike, n=3))
