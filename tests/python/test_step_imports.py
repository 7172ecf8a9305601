"""What each step's script imports, on a small section: nothing that it does not compute with."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.fixed_cost import chain

pytestmark = pytest.mark.long

RECORDER = """
import atexit, json, runpy, sys
target = sys.argv[1]
atexit.register(lambda: open(target, "w").write(json.dumps(sorted(sys.modules))))
del sys.argv[:2]
sys.path.insert(0, "")
runpy.run_path(sys.argv[0], run_name="__main__")
"""

ALWAYS = {"squidpy", "multiqc", "umap.plot", "IPython", "pytest"}
SCANPY = {"scanpy", "sklearn", "numba", "matplotlib", "umap", "pynndescent"}
TORCH = {"torch", "torch._dynamo", "torch_geometric", "diffusers"}
EXPORT = {"spatialdata", "xarray_schema", "geopandas"}

FORBIDDEN = {
    "SAMPLESHEET_CHECK": ALWAYS | SCANPY | TORCH | EXPORT | {"anndata", "pandas", "scipy"},
    "SPACERANGER_CHECK": ALWAYS | SCANPY | TORCH | EXPORT | {"anndata", "skimage", "scipy.stats"},
    "SPACERANGER_INGEST": ALWAYS | SCANPY | TORCH | EXPORT | {"skimage"},
    "SPOT_QC": ALWAYS | TORCH | EXPORT,  # scanpy chooses the highly variable genes
    "SPATIAL_GRAPH": ALWAYS | SCANPY | TORCH | EXPORT | {"skimage"},
    "DUSTED_DENOISE": ALWAYS
    | SCANPY
    | EXPORT
    | {"torch._dynamo", "torch_geometric", "diffusers", "skimage", "scipy.stats"},
    "SPATIAL_DOMAINS": ALWAYS | TORCH | EXPORT,  # scanpy finds Leiden's domains and the markers
    "SPATIALDATA_EXPORT": ALWAYS | TORCH | {"scanpy"},
    "HISTOLOGY_EMBED": ALWAYS | TORCH | SCANPY | EXPORT,
    "REFERENCE_PREPARE": ALWAYS | SCANPY | EXPORT,
    "DIFFUSION_PRETRAIN": ALWAYS | EXPORT | {"scanpy"},
    "DIFFUSION_TRAIN": ALWAYS | EXPORT | {"scanpy"},
    "DIFFUSION_SAMPLE": ALWAYS | EXPORT | {"scanpy"},
    "SAMPLE_REPORT": ALWAYS | SCANPY | TORCH | EXPORT | {"skimage"},
    "COHORT_REPORT": ALWAYS | SCANPY | TORCH | EXPORT | {"anndata"},
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Modules in memory at the end of each step's script."""
    folder = tmp_path_factory.mktemp("chain")
    chain.simulate(folder)
    found = {}
    for step in chain.steps(folder):
        names = folder / f"{step.name}.json"
        done = subprocess.run(
            [sys.executable, "-c", RECORDER, str(names), *step.command],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{step.name}\n{done.stderr}"
        found[step.name] = set(json.loads(names.read_text()))
    return found


def test_every_step_is_looked_at(imported):
    assert set(imported) == set(FORBIDDEN)


@pytest.mark.parametrize("step", FORBIDDEN)
def test_a_step_imports_nothing_it_does_not_compute_with(imported, step):
    assert sorted(imported[step] & FORBIDDEN[step]) == []


def test_the_recorder_sees_what_is_imported(imported):
    assert "torch" in imported["DUSTED_DENOISE"]
    assert "scanpy" in imported["SPOT_QC"]
    assert "spatialdata" in imported["SPATIALDATA_EXPORT"]


def test_the_package_itself_imports_nothing_heavy():
    heavy = ["numpy", "pandas", "scipy", "anndata", "torch", "click"]
    code = f"import clearspot, clearspot.errors, sys; print([n for n in {heavy} if n in sys.modules and n != 'click'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
