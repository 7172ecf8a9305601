"""Files with any bytes changed are read or refused: no other exception comes out of the check."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearspot.io.preflight import check_outs
from tests.helpers.outs_factory import make_outs

FILES = {
    "v1": (
        "filtered_feature_bc_matrix.h5",
        "spatial/tissue_positions_list.csv",
        "spatial/scalefactors_json.json",
        "spatial/tissue_lowres_image.png",
        "metrics_summary.csv",
    ),
    "hd": ("binned_outputs/square_008um/spatial/tissue_positions.parquet",),
}
CASES = [(chemistry, file) for chemistry, files in FILES.items() for file in files]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One sound folder for each chemistry; each example mends what it spoils."""
    places = {chemistry: tmp_path_factory.mktemp(chemistry) / "outs" for chemistry in FILES}
    for chemistry, place in places.items():
        make_outs(place, chemistry=chemistry, n_rows=6, n_cols=6, n_genes=8)
    return places


@st.composite
def mangling(draw: st.DrawFn) -> tuple[float, bytes, int]:
    """Where (as a share of the file), what is put there, and how many bytes go."""
    place = draw(st.floats(0, 1))
    return place, draw(st.binary(max_size=16)), draw(st.one_of(st.integers(0, 8), st.just(10**9)))


@pytest.mark.parametrize(("chemistry", "file"), CASES)
@given(change=mangling())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_mangled_file_is_read_or_refused(folders, chemistry: str, file: str, change: tuple[float, bytes, int]):
    path = folders[chemistry] / file
    sound = path.read_bytes()
    place, added, removed = change
    at = round(place * len(sound))
    try:
        path.write_bytes(sound[:at] + added + sound[at + removed :])
        record = check_outs(folders[chemistry], "S1")
    finally:
        path.write_bytes(sound)
    assert (record.status == "bad_input") == bool(record.problems)
    assert record.status in {"ok", "bad_input"}
