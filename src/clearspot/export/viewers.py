"""The files beside the store that open it in viewers, and a server that viewers in a browser read a folder from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import anndata as ad

from clearspot import keys
from clearspot.export.tissuumaps import write_tissuumaps
from clearspot.export.vitessce import vitessce_config
from clearspot.io.atomic import atomic_path

PORT: Final = 9000
VITESSCE: Final = "https://vitessce.io/#?url="


def write_viewers(adata: ad.AnnData, sample: str, folder: Path, superres: Path | None = None) -> None:
    """Write ``<sample>.vitessce.json``, ``<sample>.tmap`` and its picture beside the store.

    Vitessce wants absolute addresses: those of :func:`serve`.

    Parameters
    ----------
    adata, sample
        The sample, in the form of the data contract.
    folder
        Where the store is.
    superres
        ``<sample>.superres.h5ad``, if its bins are in the store.
    """
    url = f"http://localhost:{PORT}/{keys.spatialdata_name(sample)}"
    config = vitessce_config(adata, sample, url, genes=_first_genes(adata), superres=superres is not None)
    with atomic_path(folder / keys.vitessce_name(sample)) as path:
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    write_tissuumaps(adata, sample, folder, superres)


def _first_genes(adata: ad.AnnData) -> Sequence[str]:
    """The genes of interest; without any, the domains are shown first."""
    if keys.GENE_OF_INTEREST not in adata.var:
        return ()
    return [str(name) for name in adata.var_names[adata.var[keys.GENE_OF_INTEREST].to_numpy(dtype=bool)]]


class _Handler(SimpleHTTPRequestHandler):
    """Serves to pages of any origin, and parts of files: a viewer reads only what it shows from a zipped store."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "Range")
        self.send_header("Access-Control-Expose-Headers", "Content-Range, Content-Length, Accept-Ranges")
        # a page of the public web may read from this machine only where it says so
        self.send_header("Access-Control-Allow-Private-Network", "true")
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if asked is None or not path.is_file() or not (asked[1] or asked[2]):
            super().do_GET()
            return
        size = path.stat().st_size
        first = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            self.send_error(416)
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(first)
            self.wfile.write(file.read(last - first + 1))

    def log_message(self, format: str, *args: object) -> None:
        """Every piece of a store is a request."""


def server(folder: Path, port: int = PORT) -> ThreadingHTTPServer:
    """A server of a folder for viewers, on this machine only; ``serve_forever`` runs it.

    Parameters
    ----------
    folder
        A sample's folder of results.
    port
        0: any that is free.
    """
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder)))


def addresses(folder: Path, port: int = PORT) -> list[str]:
    """What to open in a browser: a link to Vitessce for each view configuration of a folder."""
    return [f"{VITESSCE}http://localhost:{port}/{path.name}" for path in sorted(folder.glob(keys.vitessce_name("*")))]
