"""A small phantom and one sample of each chemistry, made once."""

from pathlib import Path

import pytest

from clearspot.simulate.phantom import Phantom, make_phantom
from clearspot.simulate.spaceranger import SampleFiles, write_outs


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return make_phantom(3, width_um=1200, n_genes=160)


@pytest.fixture(scope="session")
def small_phantom() -> Phantom:
    return make_phantom(5, width_um=640, n_genes=60)


@pytest.fixture(scope="session")
def v1(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return write_outs(phantom, tmp_path_factory.mktemp("v1"), chemistry="v1", sample="one", um_per_px=4.0)


@pytest.fixture(scope="session")
def v2(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    folder: Path = tmp_path_factory.mktemp("v2")
    return write_outs(phantom, folder, chemistry="v2", sample="two", um_per_px=4.0, image=False, antibodies=True)


@pytest.fixture(scope="session")
def hd(small_phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return write_outs(small_phantom, tmp_path_factory.mktemp("hd"), chemistry="hd", sample="three", um_per_px=1.0)
