"""The image alignment of a Xenium reference: what Xenium Explorer exports is read, everything else is refused."""

import numpy as np
import pytest
import spatialdata_io
import tifffile
from spatialdata.transformations import get_transformation

from clearspot.errors import BadInputError
from clearspot.io.image_alignment import read_alignment

QUARTER_TURN = "0.0099,1.28956723,-1108.08655\n-1.28956723,0.0099,26722.4245\n0.0,0.0,1.0\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(QUARTER_TURN.encode(), id="as exported"),
        pytest.param(b"\xef\xbb\xbf" + QUARTER_TURN.replace("\n", "\r\n").encode() + b"\r\n", id="Windows"),
        pytest.param(QUARTER_TURN.replace(",", " , ").encode(), id="spaces"),
        pytest.param(QUARTER_TURN.replace("0.0099", '"0.0099"').encode(), id="quotes"),
    ],
)
def test_what_xenium_explorer_exports_is_read(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)

    matrix = read_alignment(tmp_path / "a.csv", "x")

    np.testing.assert_allclose(
        matrix, [[0.0099, 1.28956723, -1108.08655], [-1.28956723, 0.0099, 26722.4245], [0, 0, 1]]
    )


def test_direction_is_that_of_spatialdata_io(tmp_path):
    (tmp_path / "a.csv").write_text(QUARTER_TURN)
    tifffile.imwrite(tmp_path / "he.tif", np.zeros((64, 48, 3), np.uint8), photometric="rgb")
    image = spatialdata_io.xenium_aligned_image(tmp_path / "he.tif", tmp_path / "a.csv")

    theirs = get_transformation(image).to_affine_matrix(("x", "y"), ("x", "y"))

    np.testing.assert_allclose(read_alignment(tmp_path / "a.csv", "x"), theirs)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param("", "0 bytes", id="empty"),
        pytest.param("1,0,0\n0,1,0\n", "2 x 3", id="two lines"),
        pytest.param("1,0\n0,1\n0,0\n", "3 x 2", id="two columns"),
        pytest.param("1,0,0\n0,1\n0,0,1\n", "cannot be read", id="ragged"),
        pytest.param("1,0,0\n0,x,0\n0,0,1\n", "cannot be read", id="text"),
        pytest.param("a,b,c\n1,0,0\n0,1,0\n0,0,1\n", "cannot be read", id="header"),
        pytest.param("1,0,nan\n0,1,0\n0,0,1\n", "not finite", id="nan"),
        pytest.param("1,0,0\n0,1,0\n0,0,2\n", "last line of 0, 0, 2", id="last line"),
        pytest.param("1,2,0\n2,4,0\n0,0,1\n", "line or a point", id="singular"),
        pytest.param("0,0,5\n0,0,5\n0,0,1\n", "line or a point", id="zero"),
        pytest.param("1,0,0\n0,1,0\n5,7,1\n", "last line of 5, 7, 1", id="transposed"),
    ],
)
def test_everything_else_is_refused(tmp_path, content, found):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(BadInputError, match=r"a\.csv") as caught:
        read_alignment(tmp_path / "a.csv", "x")
    (problem,) = caught.value.problems
    assert found in problem.found
    assert "three lines of three numbers" in problem.expected
    assert problem.sample == "x"


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        read_alignment(tmp_path / "none.csv", "x")
