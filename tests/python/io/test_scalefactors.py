"""Scale factors are positive numbers, or refused; what a chemistry leaves out is None."""

import gzip
import json

import pytest

from clearspot.errors import BadInputError
from clearspot.io.scalefactors import read_scalefactors
from tests.helpers.outs_factory import make_scalefactors


def test_hd_has_everything(tmp_path):
    raw = make_scalefactors("hd", 0.5, 8)
    (tmp_path / "f.json").write_text(json.dumps(raw))
    factors = read_scalefactors(tmp_path / "f.json", "s")
    assert factors.raw == raw
    assert (factors.hires, factors.lowres) == (0.2, 0.06)
    assert (factors.microns_per_pixel, factors.bin_size_um, factors.regist_target_img_scalef) == (0.5, 8.0, 0.2)
    assert factors.spot_diameter_fullres == 16.0


def test_v1_leaves_out_what_it_does_not_have(tmp_path):
    (tmp_path / "f.json").write_text(json.dumps(make_scalefactors("v1", 0.5)))
    factors = read_scalefactors(tmp_path / "f.json", "s")
    assert (factors.microns_per_pixel, factors.bin_size_um, factors.regist_target_img_scalef) == (None, None, None)


def test_gzipped(tmp_path):
    (tmp_path / "f.json.gz").write_bytes(gzip.compress(b'{"tissue_hires_scalef": 0.5}'))
    assert read_scalefactors(tmp_path / "f.json.gz", "s").hires == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("{", "cannot be read"),
        ("[1]", "no scale factors"),
        ("{}", "no scale factors"),
        ('{"tissue_hires_scalef": "0.2"}', "tissue_hires_scalef = '0.2'"),
        ('{"tissue_hires_scalef": 0}', "tissue_hires_scalef = 0"),
        ('{"tissue_hires_scalef": -1.0}', "tissue_hires_scalef = -1.0"),
        ('{"tissue_hires_scalef": NaN}', "tissue_hires_scalef = nan"),
        ('{"tissue_hires_scalef": true}', "tissue_hires_scalef = True"),
    ],
)
def test_refused(tmp_path, text, words):
    (tmp_path / "scalefactors_json.json").write_text(text)
    with pytest.raises(BadInputError) as caught:
        read_scalefactors(tmp_path / "scalefactors_json.json", "s")
    assert words in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, "text", None, [1, 2], {"a": 1}, True, float("nan"), 10**400])
def test_keys_that_are_not_used_may_hold_anything(tmp_path, value):
    raw = make_scalefactors("v2", 0.5) | {"fiducial_diameter_fullres": value, "hexagon_diameter": value}
    (tmp_path / "f.json").write_text(json.dumps(raw))
    factors = read_scalefactors(tmp_path / "f.json", "s")
    assert factors.spot_diameter_fullres == 130
    assert factors.raw.get("hexagon_diameter") == (value if value in (0, -1) and value is not True else None)


@pytest.mark.parametrize("value", [0, "text", None])
def test_the_factor_of_an_absent_image_is_not_used(tmp_path, value):
    raw = make_scalefactors("v1", 0.5) | {"tissue_lowres_scalef": value}
    (tmp_path / "f.json").write_text(json.dumps(raw))
    factors = read_scalefactors(tmp_path / "f.json", "s", images=["hires"])
    assert (factors.hires, factors.lowres) == (0.2, None)
    (tmp_path / "f.json").write_text(json.dumps(make_scalefactors("v1", 0.5)))
    assert read_scalefactors(tmp_path / "f.json", "s", images=[]).lowres == 0.06


@pytest.mark.parametrize("key", ["spot_diameter_fullres", "microns_per_pixel", "bin_size_um", "tissue_hires_scalef"])
def test_null_is_a_missing_key(tmp_path, key):
    raw = make_scalefactors("hd", 0.5, 8)
    written = {}
    for name, content in (("without", {k: v for k, v in raw.items() if k != key}), ("null", raw | {key: None})):
        (tmp_path / name).write_text(json.dumps(content))
        written[name] = read_scalefactors(tmp_path / name, "s")
    assert written["null"] == written["without"]


@pytest.mark.real
def test_real_files(shared_data):
    files = sorted(shared_data.glob("*/*/**/scalefactors_json.json"))
    read = {path: read_scalefactors(path, "s") for path in files}
    assert len(read) >= 13
    assert all(factors.lowres and factors.spot_diameter_fullres for factors in read.values())
