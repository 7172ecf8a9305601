"""A damaged file of an earlier step is told as such, with what to do."""

from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from clearspot.errors import DamagedFileError, exit_codes
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section


@pytest.fixture
def section(tmp_path: Path) -> Path:
    write_h5ad(ad.AnnData(np.ones((20, 30), dtype=np.float32)), tmp_path / "s1.h5ad")
    return tmp_path / "s1.h5ad"


def test_whole_file_is_read(section: Path) -> None:
    assert read_section(section).shape == (20, 30)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_file_cut_short_is_named_with_the_folder_to_delete(section: Path, share: float) -> None:
    section.write_bytes(section.read_bytes()[: int(share * section.stat().st_size)])
    with pytest.raises(DamagedFileError, match=f"delete the folder {section.parent}"):
        read_section(section)


def test_link_is_followed_to_the_folder_of_the_step_that_wrote_it(section: Path, tmp_path: Path) -> None:
    section.write_bytes(b"x")
    (tmp_path / "next").mkdir()
    link = tmp_path / "next" / "s1.h5ad"
    link.symlink_to(section)
    with pytest.raises(DamagedFileError, match=f"delete the folder {section.parent} "):
        read_section(link)


def test_script_ends_with_the_code_of_an_input_error(section: Path, capsys: pytest.CaptureFixture[str]) -> None:
    section.write_bytes(b"x")
    with pytest.raises(SystemExit) as ended, exit_codes():
        read_section(section)
    assert ended.value.code == 74
    assert "Damaged file" in capsys.readouterr().err
