"""Images of every kind are recognised by their header and reduced without being held whole."""

import gzip
import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from clearspot.errors import BadInputError
from clearspot.io.image import probe_image, read_downscaled, read_rgb


def picture(height=60, width=90, channels=3, dtype=np.uint8, top=255):
    """Smooth colours with another gradient in each channel."""
    y, x = np.mgrid[:height, :width]
    planes = [x / width, y / height, (x + y) / (width + height), np.full(x.shape, 1.0), 1 - x / width]
    return np.rint(np.stack(planes[:channels], axis=-1) * top).astype(dtype)


def box_mean(pixels, box):
    """Reference: mean over boxes, the last ones of each side smaller."""
    rows, columns = -(-pixels.shape[0] // box), -(-pixels.shape[1] // box)
    cells = [
        [pixels[r * box : (r + 1) * box, c * box : (c + 1) * box].mean((0, 1)) for c in range(columns)]
        for r in range(rows)
    ]
    return np.array(cells)


RGB = picture()


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (1, False)),
        ({"tile": (16, 16)}, (1, True)),
        ({"tile": (16, 16), "bigtiff": True}, (1, True)),
        ({"tile": (16, 16), "byteorder": ">"}, (1, True)),
        ({"rowsperstrip": 7, "compression": "zlib"}, (1, False)),
        ({"tile": (16, 16), "compression": "jpeg"}, (1, True)),
    ],
)
def test_header_of_rgb_tiff(tmp_path, options, expected):
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", **options)
    info = probe_image(tmp_path / "x.tif", "s")
    assert (info.width, info.height, info.channels, info.dtype, info.axes) == (90, 60, 3, "uint8", "YXS")
    assert (info.n_levels, info.is_tiled) == expected


def write_pyramid(path, pixels, levels=3, **options):
    with tifffile.TiffWriter(path, ome=options.pop("ome", False)) as tiff:
        tiff.write(pixels, subifds=levels - 1, tile=(16, 16), **options)
        for level in range(1, levels):
            tiff.write(pixels[:: 2**level, :: 2**level], subfiletype=1, tile=(16, 16), **options)


@pytest.mark.parametrize("ome", [True, False])
def test_header_of_pyramid(tmp_path, ome):
    write_pyramid(tmp_path / "x.tif", RGB, photometric="rgb", ome=ome)
    info = probe_image(tmp_path / "x.tif", "s")
    assert (info.width, info.height, info.n_levels, info.is_tiled) == (90, 60, 3, True)


def test_header_of_fluorescence_stack(tmp_path):
    stack = np.moveaxis(picture(channels=4, dtype=np.uint16, top=4000), -1, 0)
    tifffile.imwrite(tmp_path / "x.ome.tif", stack, photometric="minisblack", metadata={"axes": "CYX"}, ome=True)
    info = probe_image(tmp_path / "x.ome.tif", "s")
    assert (info.width, info.height, info.channels, info.dtype) == (90, 60, 4, "uint16")
    assert (info.axes, info.photometric) == ("CYX", "minisblack")


def test_largest_picture_of_a_slide_file_is_meant(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as tiff:
        tiff.write(RGB[:10, :10], photometric="rgb")
        tiff.write(RGB, photometric="rgb")
    assert probe_image(tmp_path / "x.tif", "s").width == 90


@pytest.mark.parametrize(
    ("mode", "suffix", "channels", "dtype"),
    [
        ("RGB", "png", 3, "uint8"),
        ("RGB", "jpg", 3, "uint8"),
        ("RGBA", "png", 4, "uint8"),
        ("L", "png", 1, "uint8"),
        ("P", "png", 3, "uint8"),
        ("I;16", "png", 1, "uint16"),
    ],
)
def test_header_of_png_and_jpeg(tmp_path, mode, suffix, channels, dtype):
    Image.new(mode, (90, 60)).save(tmp_path / f"x.{suffix}")
    info = probe_image(tmp_path / f"x.{suffix}", "s")
    assert (info.width, info.height, info.channels, info.dtype) == (90, 60, channels, dtype)
    assert (info.n_levels, info.is_tiled) == (1, False)


def test_header_beyond_pillows_limit(tmp_path, monkeypatch):
    Image.new("L", (90, 60)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert probe_image(tmp_path / "x.png", "s").width == 90
    assert Image.MAX_IMAGE_PIXELS == 100


# --- pixels -------------------------------------------------------------------------------------------------------


def test_png_is_read_exactly(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png", "s"), RGB)


def test_gzipped_png(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.png")
    (tmp_path / "x.png.gz").write_bytes(gzip.compress((tmp_path / "x.png").read_bytes()))
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png.gz", "s"), RGB)
    assert probe_image(tmp_path / "x.png.gz", "s").width == 90


def test_16_bit_rgb_png(tmp_path):
    pixels = picture(dtype=np.uint16, top=65535)
    (tmp_path / "x.png").write_bytes(imagecodecs.png_encode(pixels))
    np.testing.assert_allclose(read_rgb(tmp_path / "x.png", "s"), pixels / 257, atol=0.5)


@pytest.mark.parametrize("part", np.linspace(0.1, 0.99, 8))
def test_png_cut_anywhere_is_refused(tmp_path, part):
    path = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 90, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(BadInputError):
        read_rgb(path, "s")


def test_transparent_pixels_are_white(tmp_path):
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, dtype=np.uint8)])
    rgba[:10, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "x.png")
    found = read_rgb(tmp_path / "x.png", "s")
    assert (found[:10] == 255).all()
    np.testing.assert_array_equal(found[10:], RGB[10:])


def test_transparent_pixels_of_tiff_are_white(tmp_path):
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, dtype=np.uint8)])
    rgba[:10, :, 3] = 0
    tifffile.imwrite(tmp_path / "x.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    found = read_downscaled(tmp_path / "x.tif", "s", 100)
    assert (found[:10] == 255).all()
    np.testing.assert_array_equal(found[10:], RGB[10:])


def test_grey_becomes_rgb(tmp_path):
    Image.fromarray(RGB[:, :, 0]).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png", "s"), np.repeat(RGB[:, :, :1], 3, axis=2))


def test_palette_becomes_rgb(tmp_path):
    Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(tmp_path / "x.png")
    found = read_rgb(tmp_path / "x.png", "s").astype(int)
    assert np.abs(found - RGB).mean() < 8


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_depth_that_is_used_is_scaled_to_8_bits(tmp_path, bits):
    pixels = picture(channels=1, dtype=np.uint16, top=2**bits - 1)[:, :, 0]
    pixels[0, 0] = 2**bits - 1
    tifffile.imwrite(tmp_path / "x.tif", pixels)
    found = read_downscaled(tmp_path / "x.tif", "s", 100)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found[:, :, 0], pixels / (2**bits - 1) * 255, atol=0.5)


def test_16_bit_png(tmp_path):
    pixels = picture(channels=1, dtype=np.uint16, top=65535)[:, :, 0]
    Image.fromarray(pixels).save(tmp_path / "x.png")
    found = read_downscaled(tmp_path / "x.png", "s", 45)
    np.testing.assert_allclose(found[:, :, 1], box_mean(pixels[:, :, None], 2)[:, :, 0] / 257, atol=1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tile": (16, 32)},
        {"rowsperstrip": 7, "compression": "zlib"},
        {"tile": (16, 16), "planarconfig": "separate"},
        {"rowsperstrip": 11, "compression": "zlib", "planarconfig": "separate"},
        {"tile": (16, 16), "byteorder": ">", "bigtiff": True},
    ],
    ids=["plain", "tiles", "strips", "separate tiles", "separate strips", "big-endian BigTIFF"],
)
@pytest.mark.parametrize("max_side", [90, 45, 13])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_is_reduced_by_the_mean_of_boxes(tmp_path, options, max_side, dtype):
    pixels = picture(dtype=dtype, top=np.iinfo(dtype).max)
    stored = np.moveaxis(pixels, -1, 0) if options.get("planarconfig") else pixels
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb", **options)
    found = read_downscaled(tmp_path / "x.tif", "s", max_side)
    box = -(-90 // max_side)
    expected = box_mean(pixels, box) / (257 if dtype == np.uint16 else 1)
    assert max(found.shape) <= max_side
    np.testing.assert_allclose(found, expected, atol=1)


def test_png_is_reduced_by_the_mean_of_boxes(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.png")
    np.testing.assert_allclose(read_downscaled(tmp_path / "x.png", "s", 13), box_mean(RGB, 7), atol=0.5)


def test_jpeg_is_reduced(tmp_path):
    pixels = picture(800, 1200)
    Image.fromarray(pixels).save(tmp_path / "x.jpg", quality=95)
    found = read_downscaled(tmp_path / "x.jpg", "s", 100)
    assert max(found.shape) <= 100
    middle = found[found.shape[0] // 2, found.shape[1] // 2].astype(int)
    assert np.abs(middle - pixels[400, 600]).max() < 6


def test_pyramid_level_that_suffices_is_read(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as tiff:
        tiff.write(np.zeros((64, 64), np.uint8), subifds=2, tile=(16, 16))
        tiff.write(np.full((32, 32), 100, np.uint8), subfiletype=1, tile=(16, 16))
        tiff.write(np.full((16, 16), 200, np.uint8), subfiletype=1, tile=(16, 16))
    values = [read_downscaled(tmp_path / "x.tif", "s", side).max() for side in (64, 33, 32, 17, 16, 5)]
    assert values == [0, 0, 100, 100, 200, 200]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_fluorescence_stack(tmp_path, channels):
    pixels = picture(channels=channels)
    tifffile.imwrite(tmp_path / "x.tif", np.moveaxis(pixels, -1, 0), photometric="minisblack", tile=(16, 16))
    found = read_downscaled(tmp_path / "x.tif", "s", 100)
    shown = {1: pixels[:, :, [0, 0, 0]], 2: np.dstack([pixels, np.zeros((60, 90), np.uint8)])}
    np.testing.assert_array_equal(found, shown.get(channels, pixels[:, :, :3]))


def test_imagej_stack(tmp_path):
    pixels = picture(channels=3)
    tifffile.imwrite(tmp_path / "x.tif", np.moveaxis(pixels, -1, 0), imagej=True, metadata={"axes": "CYX"})
    with tifffile.TiffFile(tmp_path / "x.tif") as tiff:
        assert tiff.is_imagej
    np.testing.assert_array_equal(read_downscaled(tmp_path / "x.tif", "s", 100), pixels)


@pytest.mark.parametrize("options", [{"tile": (256, 256), "compression": "zlib"}, {}], ids=["tiles", "one strip"])
def test_large_tiff_is_never_held_whole(tmp_path, options):
    pixels = np.broadcast_to(np.arange(6000, dtype=np.uint8)[:, None, None], (6000, 5000, 3))
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", **options)
    tracemalloc.start()
    try:
        found = read_downscaled(tmp_path / "x.tif", "s", 300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.shape == (300, 250, 3)
    assert peak < pixels.size / 2


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [probe_image, read_rgb, lambda path, sample: read_downscaled(path, sample, 10)])
@pytest.mark.parametrize("content", [b"", b"hello", b"II*\0", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image(tmp_path, reader, content):
    (tmp_path / "tissue_hires_image.png").write_bytes(content)
    with pytest.raises(BadInputError, match="tissue_hires_image"):
        reader(tmp_path / "tissue_hires_image.png", "s")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_truncated_image(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    if suffix == "tif":
        tifffile.imwrite(path, noise, photometric="rgb", tile=(64, 64), compression="zlib")
    else:
        Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(BadInputError):
        read_downscaled(path, "s", 100)


def test_small_image_that_is_large(tmp_path):
    Image.new("1", (9000, 10)).save(tmp_path / "x.png")
    with pytest.raises(BadInputError, match="9000 x 10 pixels"):
        read_rgb(tmp_path / "x.png", "s")


def test_png_too_large_to_decode(tmp_path, monkeypatch):
    monkeypatch.setattr("clearspot.io.image.MAX_WHOLE_PIXELS", 1000)
    Image.fromarray(RGB).save(tmp_path / "x.png")
    with pytest.raises(BadInputError, match="convert it to a tiled TIFF"):
        read_downscaled(tmp_path / "x.png", "s", 10)


@pytest.mark.real
def test_real_images_are_read(shared_data):
    paths = [*shared_data.glob("outs/*/spatial/*.png"), *shared_data.glob("spatial_only/*/spatial/*.png")]
    assert len(paths) >= 12
    for path in paths:
        info = probe_image(path, "s")
        assert read_rgb(path, "s").shape == (info.height, info.width, 3)


@pytest.mark.real
def test_real_full_resolution_jpeg_is_reduced(shared_data):
    path = shared_data / "her2st" / "C2.jpg"
    info = probe_image(path, "s")
    assert info.width * info.height > 80e6
    found = read_downscaled(path, "s", 1000)
    assert found.shape[1] / found.shape[0] == pytest.approx(info.width / info.height, rel=0.005)
    assert found.std() > 5
