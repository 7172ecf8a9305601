"""Files that open a sample in viewers: TissUUmaps' own schema, and Vitessce itself in a headless Chromium."""

import json
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.diffst.estimate.evidence import Evidence
from clearspot.diffst.generate.uncertainty import Summary
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.output.superres_file import write_superres
from clearspot.domains.colours import add_colours
from clearspot.export.spatialdata_zarr import write_spatialdata
from clearspot.export.viewers import VITESSCE, addresses, server, write_viewers
from clearspot.io.atomic import write_h5ad
from tests.helpers import browser as report_browser
from tests.helpers.browser import Browser

GENES = ["Sox11", "Col2a1", "Hoxb2"]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A sample's folder as the pipeline leaves it: 12 spots, 3 genes, a picture, and super-resolved bins."""
    folder = tmp_path_factory.mktemp("results")
    row, col = np.divmod(np.arange(12), 4)
    counts = csr_matrix(np.random.default_rng(0).poisson(3.0, (12, 3)).astype(np.int32))
    adata = ad.AnnData(counts.astype(np.float32), layers={keys.COUNTS: counts}, var=pd.DataFrame(index=GENES))
    adata.layers[keys.DENOISED] = counts.toarray().astype(np.float32) + 0.5
    adata.var[keys.MODELLED] = [True, False, True]
    adata.var[keys.GENE_OF_INTEREST] = [False, False, True]
    adata.obs[keys.ARRAY_ROW], adata.obs[keys.ARRAY_COL] = row, col
    adata.obs[keys.DOMAIN_GMM] = pd.Categorical([str(1 + n % 2) for n in range(12)])
    adata.obs[keys.TOTAL_COUNTS] = counts.sum(axis=1).A1
    adata.obs_names = [f"SPOT{n}-1" for n in range(12)]
    adata.obsm[keys.SPATIAL] = np.column_stack([col, row]) * 20.0 + 50
    picture = np.random.default_rng(1).integers(0, 255, (16, 20, 3)).astype(np.uint8)
    library = {"images": {"hires": picture}, "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 15}}
    adata.uns = {"spatial": {"lib": library}, "clearspot": {"microns_per_pixel": 4.0}}
    add_colours(adata)
    grid = FineGrid(40.0, 8, 10, (40.0, 40.0), 0.25)
    codes = np.full(grid.shape, Evidence.GAP, dtype=np.uint8)
    values = np.random.default_rng(2).random((grid.n_bins, 3)).astype(np.float32)
    superres = folder / keys.superres_name("s1")
    write_superres(superres, "s1", grid, codes, pd.DataFrame(index=GENES), [(slice(0, 3), Summary(*[values] * 5))])
    write_h5ad(adata, folder / keys.h5ad_name("s1"))
    write_spatialdata(adata, "s1", folder / keys.spatialdata_name("s1"), superres)
    write_viewers(adata, "s1", folder, superres)
    return folder


@pytest.fixture(scope="module")
def project(results) -> dict:
    return json.loads((results / keys.tissuumaps_name("s1")).read_text())


def test_tissuumaps_takes_the_project(project):
    schema = pytest.importorskip("tissuumaps_schema", reason="tissuumaps-schema is not installed")
    # TissUUmaps validates a project against the schema of the major version that the project states
    assert schema.guess_schema_version(project) == schema.current.VERSION
    read = schema.current.Project.model_validate(project)
    titles = [tab.title for tab in read.marker_files]
    assert titles == ["Classes", "Counts", "Denoised genes (counts)", "Super-resolved genes (predicted)"]


def test_every_path_of_the_project_is_in_its_file(project, results):
    asked = 0
    for tab in project["markerFiles"]:
        with h5py.File(results / tab["path"]) as file:
            options = [value for option in tab["dropdownOptions"] for name, value in option.items() if "_col" in name]
            for place in (tab["expectedHeader"]["X"], tab["expectedHeader"]["Y"], *filter(None, options)):
                if not isinstance(place, str):
                    continue
                name, _, column = place.partition(";")
                assert name in file
                if column:
                    assert int(column) < file[name].shape[1]
                asked += 1
    assert asked == 4 * 2 + 1 + 1 + 2 + 3


def test_project_names_genes_by_their_columns_and_domains_by_the_colours_of_the_page(project, results):
    tabs = {tab["title"]: tab["dropdownOptions"] for tab in project["markerFiles"]}
    denoised = {one["name"]: one["expectedHeader.cb_col"] for one in tabs["Denoised genes (counts)"]}
    assert denoised == {"Sox11": "/layers/denoised;0", "Hoxb2": "/layers/denoised;2"}
    (domains,) = tabs["Classes"]
    shades = ad.read_h5ad(results / "s1.h5ad").uns["domain_gmm_colors"]
    assert json.loads(domains["expectedHeader.cb_gr_dict"]) == dict(zip(["1", "2"], shades, strict=True))


def test_spots_lie_on_the_picture_of_the_project(project, results):
    (layer,) = project["layers"]
    picture = tifffile.imread(results / layer["tileSource"].removesuffix(".dzi"))
    adata = ad.read_h5ad(results / "s1.h5ad")
    np.testing.assert_array_equal(picture, adata.uns["spatial"]["lib"]["images"]["hires"])
    for tab in project["markerFiles"]:
        places = adata.obsm[keys.SPATIAL] * tab["expectedHeader"]["coord_factor"]
        assert (places < np.array(picture.shape[1::-1])).all()


def test_the_server_gives_parts_to_pages_of_any_origin(results):
    store = (results / "s1.zarr.zip").read_bytes()
    with serving(results) as base:
        for asked, expected in (("bytes=4-9", store[4:10]), ("bytes=-22", store[-22:]), ("bytes=10-", store[10:])):
            request = urllib.request.Request(f"{base}/s1.zarr.zip", headers={"Range": asked})
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 206
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                assert answer.read() == expected
        with urllib.request.urlopen(f"{base}/s1.zarr.zip") as answer:
            assert answer.read() == store


def test_the_link_opens_the_views(results):
    assert addresses(results, 9000) == [f"{VITESSCE}http://localhost:9000/s1.vitessce.json"]


class serving:  # noqa: N801
    """A folder's server while a block runs."""

    def __init__(self, folder: Path):
        self.server = server(folder, port=0)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


# Vitessce by npm's own client; parquet-wasm stands in for the copy that it fetches from its CDN
PACKAGES = ("vitessce@4.0.8", "parquet-wasm@0.8.0")
BUNDLED = ("react@19", "react-dom@19", "esbuild@0.25")
PAGE = """
import React from 'react';
import { createRoot } from 'react-dom/client';
import { Vitessce } from 'vitessce';
const config = await (await fetch('config.json')).json();
const views = React.createElement(Vitessce, { config, height: 400, theme: 'light' });
createRoot(document.getElementById('root')).render(views);
"""


@pytest.fixture(scope="module")
def vitessce(tmp_path_factory) -> Path:
    """Folder with a page that shows ``config.json`` in Vitessce, without anything of the network."""
    if shutil.which("npm") is None:
        pytest.skip("Vitessce is not opened: there is no npm on PATH")
    folder = tmp_path_factory.mktemp("vitessce")
    (folder / "package.json").write_text('{"private": true}')

    def npm(*words: str) -> str:
        done = subprocess.run(["npm", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"Vitessce is not opened: npm cannot fetch it ({done.stderr.strip().splitlines()[-1:]})")
        return done.stdout

    npm("install", "--no-audit", "--no-fund", "--silent", *BUNDLED)
    for archive in npm("pack", "--silent", *PACKAGES).split():
        target = folder / "node_modules" / archive.rpartition("-")[0]
        target.mkdir(parents=True)
        subprocess.run(["tar", "xzf", folder / archive, "-C", target, "--strip-components", "1"], check=True)
    (folder / "main.jsx").write_text(PAGE)
    out = folder / "out"
    bundle = ["node_modules/.bin/esbuild", "main.jsx", "--bundle", "--format=esm", "--splitting", "--outdir=out"]
    bundle += ["--target=es2022", "--log-level=error"]
    # of views that are not opened here
    bundle += ["--external:three", "--external:three/*", "--external:@react-three/*"]
    subprocess.run(bundle, cwd=folder, check=True, timeout=300)
    shutil.copytree(folder / "node_modules/parquet-wasm/esm", out / "parquet")
    for script in out.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        script.write_text(
            text.replace("https://cdn.vitessce.io/parquet-wasm@2c23652/esm/", "./parquet/"), encoding="utf-8"
        )
    (out / "index.html").write_text('<!doctype html><div id="root"></div><script type="module" src="main.js"></script>')
    return out


@pytest.fixture
def chromium(monkeypatch) -> Iterator[Browser]:
    """A headless Chromium that draws WebGL on the CPU."""
    executable = report_browser.find_chromium()
    if executable is None:
        pytest.skip("no Chromium on this machine")
    usual = [switch for switch in report_browser.SWITCHES if switch not in ("--disable-gpu", "about:blank")]
    drawing = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "about:blank")
    monkeypatch.setattr(report_browser, "SWITCHES", (*usual, *drawing))
    browser = report_browser.Browser(executable, 900, 450)
    yield browser
    browser.close()


def test_vitessce_shows_spots_genes_and_predicted_bins(results, vitessce, chromium):
    with serving(results) as data, serving(vitessce) as pages:
        config = (results / "s1.vitessce.json").read_text().replace("http://localhost:9000", data)
        (vitessce / "config.json").write_text(config)
        chromium.call("Page.navigate", url=f"{pages}/index.html")
        for said in ("12 spots, 1 image", "80 segmentations, 1 image", "3 genes", "Domains (gmm)", "Hoxb2"):
            chromium.until(f"(document.body?.innerText ?? '').includes({said!r})", seconds=180)
        assert not chromium.run("document.body.innerText.includes('Config validation')")
