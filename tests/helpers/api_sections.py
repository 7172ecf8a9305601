"""A section after each step of the API, and figures that are closed; imported by the conftest.py of who uses them."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

import clearspot

matplotlib.use("Agg")


@pytest.fixture
def section():
    """A section as it was read."""
    return clearspot.simulate.small_section()


@pytest.fixture(scope="session")
def _denoised():
    adata = clearspot.simulate.small_section()
    clearspot.qc(adata, min_counts=600)
    clearspot.denoise(adata, epochs=5, progress=False)
    clearspot.domains(adata, n_domains=3, moran_n_perms=0)
    return adata


@pytest.fixture
def denoised(_denoised):
    """A section after all steps, in which some spots did not pass."""
    return _denoised.copy()


@pytest.fixture(scope="session")
def finer(tmp_path_factory):
    """Result of super-resolution."""
    adata = clearspot.simulate.small_section()
    out = tmp_path_factory.mktemp("superres")
    return clearspot.superresolve(adata, out=out, preset="test", n_genes=4, progress=False)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")
