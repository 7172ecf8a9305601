import numpy as np
import pytest

from clearspot.simulate.cells import TYPE_NAMES
from clearspot.simulate.histology import Frame, Renderer
from clearspot.simulate.tissue import LUMEN, code


def paint(phantom, frame):
    out = np.empty((*frame.shape, 3), dtype=np.uint8)
    Renderer(phantom, frame).paint(out)
    return out


@pytest.fixture(scope="module")
def picture(phantom):
    """One pixel a micrometre, with 100 um of glass on the left and on top."""
    return paint(phantom, Frame(-100, -100, 1.0, (1300, 1300)))


def at(picture, x_um, y_um):
    return picture[(y_um + 100).astype(int), (x_um + 100).astype(int)].astype(float)


def test_glass_is_white_and_even(picture, phantom):
    glass = picture[:100]
    assert (glass == glass[0, 0]).all()
    assert glass.min() > 230
    rows, cols = np.nonzero(phantom.tissue.region == LUMEN)
    assert np.median(at(picture, cols * 2 + 1, rows * 2 + 1)) > 215


def test_nuclei_are_blue_and_muscle_is_pink(picture, phantom):
    cells = phantom.cells
    lymphocytes = np.isin(cells.kind, [TYPE_NAMES.index("b_cell"), TYPE_NAMES.index("t_cell")])
    nucleus = np.median(at(picture, cells.x_um[lymphocytes], cells.y_um[lymphocytes]), axis=0)
    assert nucleus.mean() < 140
    assert nucleus[2] > nucleus[1]
    rows, cols = np.nonzero(phantom.tissue.region == code("muscle"))
    muscle = np.median(at(picture, cols * 2 + 1, rows * 2 + 1), axis=0)
    assert muscle[0] > muscle[2] > muscle[1]


def test_picture_tells_some_types_apart_and_others_not(picture, phantom):
    def redness(name):
        chosen = phantom.cells.kind == TYPE_NAMES.index(name)
        return at(picture, phantom.cells.x_um[chosen], phantom.cells.y_um[chosen])[:, 0]

    assert np.median(redness("gc_b_cell")) - np.median(redness("b_cell")) > 15
    assert abs(np.median(redness("t_cell")) - np.median(redness("b_cell"))) < 8


def test_a_window_shows_what_the_whole_shows(picture, phantom):
    window = paint(phantom, Frame(300, 200, 1.0, (200, 250)))
    whole = picture[300:500, 400:650]
    assert np.abs(window.astype(int) - whole.astype(int)).max() <= 2


def test_pixel_positions_follow_the_frame():
    frame = Frame(-50.0, 10.0, 2.0, (5, 5))
    np.testing.assert_allclose(frame.to_pixels(np.array([-50.0, 0.0]), np.array([10.0, 30.0])), [[0, 0], [25, 10]])
