from io import BytesIO

import anndata as ad
import numpy as np
from PIL import Image

from clearspot.io.ingest import ingest_outs
from clearspot.io.layout import find_outs
from clearspot.io.registration_pictures import registration_pictures


def test_pictures_of_a_real_folder_travel_small_and_survive_the_file(shared_data, tmp_path):
    adata, _ = ingest_outs(shared_data / "outs" / "mouse_cytassist", "mouse")
    adata.write_h5ad(tmp_path / "mouse.h5ad")
    kept = ad.read_h5ad(tmp_path / "mouse.h5ad").uns["clearspot"]["registration_pictures"]
    assert set(kept) == {"aligned_fiducials", "detected_tissue"}
    for jpeg in kept.values():
        assert jpeg.dtype == np.uint8
        assert jpeg.size < 300_000
        with Image.open(BytesIO(bytes(jpeg))) as image:
            assert max(image.size) <= 800


def test_a_damaged_picture_is_left_out_and_told(shared_data, tmp_path):
    outs = tmp_path / "outs"
    for path in (shared_data / "outs" / "mouse_cytassist").rglob("*"):
        if path.is_file():
            copy = outs / path.relative_to(shared_data / "outs" / "mouse_cytassist")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(b"no picture" if path.name == "aligned_fiducials.jpg" else path.read_bytes())
    found, messages = registration_pictures(find_outs(outs, "s"), "s")
    assert set(found) == {"detected_tissue"}
    assert [message.level for message in messages] == ["handled"]
    assert "aligned_fiducials.jpg" in messages[0].text
