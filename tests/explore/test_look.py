import cv2
import numpy as np
import pytest

from pyimagesearch.building.duplicates import fingerprint
from pyimagesearch.explore.look import ENOUGH, decode_small, find_oddities, look_at
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image
from pyimagesearch.samples.animals import paint


@pytest.fixture(scope="module")
def photographs():
    """JPEG files of 300 x 300 to 1,300 x 1,300 pixels."""
    sizes = (300, 550, 1300)
    large = [cv2.resize(paint("cat", np.random.default_rng(s)), (s, s), interpolation=cv2.INTER_CUBIC) for s in sizes]
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in large]


@pytest.mark.parametrize("channels", [1, 3])
def test_large_photographs_are_decoded_small_and_look_the_same(photographs, channels):
    decoding = Decoding(channels)
    for data in photographs:
        small, full = decode_small(data, "a.jpg", decoding), decode_image(data, "a.jpg", decoding)
        assert ENOUGH <= min(small.shape[:2]) < full.shape[0]
        assert small.shape[2] == channels
        assert np.allclose(small.mean(axis=(0, 1)), full.mean(axis=(0, 1)), atol=1)
        hashes = [fingerprint(data, image).phash for image in (small, full)]
        assert (hashes[0] ^ hashes[1]).bit_count() <= 4


def test_small_ones_and_other_formats_are_decoded_as_the_build_does(photographs):
    image = decode_image(photographs[0])
    png = cv2.imencode(".png", image)[1].tobytes()
    assert (decode_small(png, "a.png", Decoding()) == image).all()
    jpeg = cv2.imencode(".jpg", image[:200, :150])[1].tobytes()
    assert (decode_small(jpeg, "a.jpg", Decoding()) == decode_image(jpeg)).all()


@pytest.mark.parametrize(
    ("decoding", "cut", "reason"),
    [
        (Decoding(), 1000, "truncated"),
        (Decoding(max_pixels=1000), None, "more than 1,000 in all"),
        (Decoding(formats=("png",)), None, "of the format jpeg; accepted are png"),
        (Decoding(channels=4), None, "3 channels instead of 4"),
    ],
)
def test_what_the_build_refuses_is_refused(photographs, decoding, cut, reason):
    with pytest.raises(UnreadableImageError, match=rf"a\.jpg cannot be read: .*{reason}"):
        decode_small(photographs[2][:cut], "a.jpg", decoding)


def test_a_look_has_the_means_and_the_size_of_the_file():
    image = np.full((10, 20, 3), (10, 20, 30), np.uint8)
    look = look_at(b"12345", image, 40, 20, "png", {})
    assert (look.width, look.height, look.kind, look.size) == (40, 20, "png", 5)
    assert (look.means, look.contrast) == ((10, 20, 30), 0)
    assert look_at(b"1", image[..., :1], 1, 1, "png", {}).means == (10,)


@pytest.mark.parametrize(
    ("name", "size", "kinds"),
    [
        ("Landscape_1.jpg", (1800, 1200), set()),
        ("Landscape_3.jpg", (1800, 1200), {"rotated"}),
        ("Landscape_6.jpg", (1800, 1200), {"rotated"}),
        ("Portrait_5.jpg", (1200, 1800), {"rotated"}),
        ("hopper.gif", (128, 128), set()),
        ("hopper.webp", (128, 128), set()),
        ("hopper_gray.jpg", (128, 128), {"gray"}),
        ("mode_16bit.png", (128, 64), {"alpha", "deep", "frames"}),
        ("pil_sample_cmyk.jpg", (100, 100), {"cmyk"}),
        ("png_named.jpg", (200, 150), {"misnamed", "alpha"}),
    ],
)
def test_oddities_of_real_files(bad_images, name, size, kinds):
    data = (bad_images / name).read_bytes()
    found_size, found = find_oddities(data, name)
    assert (found_size, set(found)) == (size, kinds)
    assert decode_image(data).shape[1::-1] == size


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_of_colour_are_deep(suffix):
    pixels = np.random.default_rng(0).integers(0, 2**16, (8, 9, 3), np.uint16)
    size, found = find_oddities(cv2.imencode(suffix, pixels)[1].tobytes(), f"a{suffix}")
    assert (size, found) in (((9, 8), {"deep": "16 bits"}), (None, {}))


def test_a_file_that_pillow_cannot_open_has_no_oddities_but_its_name():
    assert find_oddities(b"\xff\xd8\xff", "a.png") == (None, {"misnamed": "is jpeg"})
