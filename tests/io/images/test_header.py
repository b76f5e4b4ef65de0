"""Sizes are known before anything is decoded, so that an absurd image costs nothing."""

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image, read_image
from pyimagesearch.io.images.header import image_size


def encoded(suffix, height=30, width=40):
    pixels = cv2.resize(np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8), (width, height))
    return cv2.imencode(suffix, pixels)[1].tobytes()


def claiming(suffix, width, height):
    """Return a small file whose header claims another size."""
    data = bytearray(encoded(suffix))
    if suffix == ".png":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif suffix == ".jpg":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    elif suffix == ".bmp":
        data[18:26] = struct.pack("<ii", width, height)
    elif suffix == ".gif":
        data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tiff", ".webp", ".gif"])
def test_the_size_is_read_from_the_header(suffix):
    assert image_size(encoded(suffix)) == (40, 30)


@pytest.mark.parametrize("data", [b"", b"not an image", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_no_header_gives_no_size(data):
    assert image_size(data) is None


@pytest.mark.parametrize(
    ("suffix", "width", "height"),
    [(".jpg", 65000, 65000), (".png", 2**31 - 1, 2**31 - 1), (".bmp", 100_000, 100_000), (".gif", 65000, 65000)],
)
def test_absurd_sizes_are_refused_without_their_memory(suffix, width, height):
    data = claiming(suffix, width, height)
    tracemalloc.start()
    with pytest.raises(UnreadableImageError, match=r"it has [\d,]+ x [\d,]+ pixels, more than 134,217,728 in all"):
        decode_image(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


def test_the_limit_is_the_callers(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(".png"))
    assert read_image(tmp_path / "a.png", Decoding(max_pixels=1200)).shape == (30, 40, 3)
    with pytest.raises(UnreadableImageError, match="it has 40 x 30 pixels, more than 1,199 in all"):
        read_image(tmp_path / "a.png", Decoding(max_pixels=1199))


def test_a_real_bomb_is_refused(bad_images):
    with pytest.raises(UnreadableImageError):
        read_image(bad_images / "decompression_bomb.gif")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif"])
def test_formats_that_are_not_wanted_are_left_out(suffix):
    kind = suffix[1:].replace("jpg", "jpeg")
    others = [name for name in ("jpeg", "png", "gif") if name != kind]
    with pytest.raises(UnreadableImageError, match=f"it is of the format {kind}; accepted are {', '.join(others)}"):
        decode_image(encoded(suffix), decoding=Decoding(formats=others))
    assert decode_image(encoded(suffix), decoding=Decoding(formats=[kind])).shape == (30, 40, 3)


@pytest.mark.parametrize("suffix", [".ppm", ".sr", ".hdr"])
def test_formats_that_nobody_asked_for_are_not_decoded(suffix):
    pixels = np.zeros((4, 4, 3), np.float32 if suffix == ".hdr" else np.uint8)
    with pytest.raises(UnreadableImageError, match="its content is no image that OpenCV can decode"):
        decode_image(cv2.imencode(suffix, pixels)[1].tobytes())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formats": ("jpeg", "exr")}, "formats: must be some of jpeg, .*; received jpeg, exr"),
        ({"formats": ()}, "formats: must be some of .*; received none"),
        ({"channels": 0}, "channels: must be 3 for colour or 1 for gray; received 0"),
        ({"channels": 4}, "channels: must be 3 for colour or 1 for gray; received 4; `HDF5DatasetWriter` stores"),
        ({"max_pixels": 0}, "max_pixels: must be at least 1; received 0"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        Decoding(**settings).check()
