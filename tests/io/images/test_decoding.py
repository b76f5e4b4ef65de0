import pickle
import struct
import zlib

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import (
    Decoding,
    UnreadableImageError,
    decode_image,
    is_jpeg,
    is_truncated,
    read_image,
)

FORMATS = (".jpg", ".png", ".bmp", ".tiff", ".webp", ".gif")


@pytest.fixture
def picture(rng):
    """A picture without sharp edges, 40 wide and 30 high."""
    return cv2.resize(rng.integers(0, 256, (4, 5, 3), np.uint8), (40, 30))


def encode(suffix, pixels):
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def with_segment(jpeg, marker, content):
    """Put an application segment behind a JPEG file's first two bytes."""
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def with_orientation(jpeg, orientation):
    tiff = b"II*\x00" + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 1, orientation) + bytes(4)
    return with_segment(jpeg, 0xE1, b"Exif\x00\x00" + tiff)


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def over_white(pixels, alpha):
    share = alpha[..., None] / 255
    return np.rint(pixels * share + 255 * (1 - share))


class TestGoodFiles:
    @pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
    def test_lossless_formats_come_out_as_they_went_in(self, tmp_path, picture, suffix):
        (tmp_path / f"a{suffix}").write_bytes(encode(suffix, picture))
        image = read_image(tmp_path / f"a{suffix}")
        np.testing.assert_array_equal(image, picture)
        assert image.dtype == np.uint8

    @pytest.mark.parametrize("suffix", [".jpg", ".webp"])
    def test_lossy_formats_come_out_alike(self, picture, suffix):
        image = decode_image(encode(suffix, picture))
        assert image.shape == picture.shape
        assert abs(image.astype(int) - picture).mean() < 4

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_the_content_decides_not_the_name(self, tmp_path, picture, suffix):
        path = tmp_path / "a.jpg"
        path.write_bytes(encode(suffix, picture))
        assert read_image(path).shape == (30, 40, 3)

    @pytest.mark.parametrize("name", ["with space.png", "dög.png", "-o.png"])
    def test_any_name_will_do(self, tmp_path, picture, name):
        (tmp_path / name).write_bytes(encode(".png", picture))
        np.testing.assert_array_equal(read_image(str(tmp_path / name)), picture)

    def test_gray_becomes_colour(self, picture):
        gray = picture[..., 0]
        np.testing.assert_array_equal(decode_image(encode(".png", gray)), gray[..., None].repeat(3, 2))

    def test_colour_becomes_gray_when_asked(self, picture):
        image = decode_image(encode(".png", picture), decoding=Decoding(1))
        np.testing.assert_allclose(image, cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None], atol=1)

    def test_four_channels_stay_as_they_are_when_asked(self, rng):
        pixels = rng.integers(0, 256, (9, 8, 4), np.uint8)
        np.testing.assert_array_equal(decode_image(encode(".png", pixels), decoding=Decoding(4)), pixels)

    @pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3)])
    def test_16_bits_become_8(self, rng, shape):
        pixels = rng.integers(0, 2**16, shape, np.uint16)
        image = decode_image(encode(".png", pixels))
        expected = (pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, 2)) / 257
        assert image.dtype == np.uint8
        assert abs(image - expected).max() <= 1

    def test_all_16_bit_values_are_rounded_where_opencv_leaves_them(self):
        pixels = np.arange(2**16, dtype=np.uint16).reshape(128, 128, 4)
        image = decode_image(encode(".png", pixels), decoding=Decoding(4))
        np.testing.assert_array_equal(image, np.rint(pixels / 257).astype(np.uint8))

    def test_transparent_pixels_are_laid_over_white(self, rng):
        pixels = rng.integers(0, 256, (9, 8, 4), np.uint8)
        pixels[0, :, 3], pixels[1, :, 3] = 0, 255
        image = decode_image(encode(".png", pixels))
        np.testing.assert_allclose(image, over_white(pixels[..., :3], pixels[..., 3]), atol=1)
        assert (image[0] == 255).all()
        np.testing.assert_array_equal(image[1], pixels[1, :, :3])

    def test_transparent_gray_is_laid_over_white_too(self, rng):
        pixels = rng.integers(0, 256, (9, 8, 4), np.uint8)
        pixels[..., 1] = pixels[..., 2] = pixels[..., 0]
        image = decode_image(encode(".png", pixels), decoding=Decoding(1))
        np.testing.assert_allclose(image, over_white(pixels[..., :1], pixels[..., 3]), atol=1)

    def test_16_bit_transparent_pixels_are_laid_over_white(self, rng):
        pixels = rng.integers(0, 2**16, (9, 8, 4), np.uint16)
        image = decode_image(encode(".png", pixels))
        np.testing.assert_allclose(image, over_white(pixels[..., :3] / 257, pixels[..., 3] / 257), atol=2)

    @pytest.mark.parametrize(
        ("orientation", "upright"),
        [
            (1, lambda image: image),
            (2, np.fliplr),
            (3, lambda image: np.rot90(image, 2)),
            (4, np.flipud),
            (5, lambda image: image.transpose(1, 0, 2)),
            (6, lambda image: np.rot90(image, -1)),
            (7, lambda image: np.rot90(image, 2).transpose(1, 0, 2)),
            (8, np.rot90),
        ],
    )
    def test_photographs_are_turned_upright(self, picture, orientation, upright):
        jpeg = encode(".jpg", picture)
        np.testing.assert_array_equal(decode_image(with_orientation(jpeg, orientation)), upright(decode_image(jpeg)))

    def test_the_still_picture_of_an_animation_is_read(self, picture):
        """A PNG file may carry an animation that its still picture is no part of."""
        png = encode(".png", picture)
        size = struct.pack(">II", 40, 30)
        black = zlib.compress(bytes(30 * (1 + 3 * 40)))
        header, rest = png[:33], png[33:-12]
        delay = struct.pack(">IIHHBB", 0, 0, 1, 10, 0, 0)
        frames = b""
        for number in (0, 2):
            frames += png_chunk(b"fcTL", struct.pack(">I", number) + size + delay)
            frames += png_chunk(b"fdAT", struct.pack(">I", number + 1) + black)
        animation = png_chunk(b"acTL", struct.pack(">II", 2, 1))
        animated = header + animation + rest + frames + png[-12:]
        np.testing.assert_array_equal(decode_image(animated), picture)

    def test_bytes_behind_the_end_do_not_matter(self, picture):
        for suffix in (".jpg", ".png"):
            data = encode(suffix, picture)
            np.testing.assert_array_equal(decode_image(data + bytes(500)), decode_image(data))


class TestUnreadableFiles:
    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize("keep", [0.02, 0.2, 0.5, 0.8, 0.97])
    def test_a_truncated_file_is_unreadable(self, picture, suffix, keep):
        data = encode(suffix, picture)
        with pytest.raises(UnreadableImageError, match="cannot be read"):
            decode_image(data[: int(len(data) * keep)])

    @pytest.mark.parametrize("suffix", [".jpg", ".png"])
    def test_truncation_is_told_wherever_it_happens(self, picture, suffix):
        data = encode(suffix, picture)
        begin = 8 if suffix == ".png" else 3
        assert not is_truncated(data)
        for end in range(begin, len(data) - 12 if suffix == ".png" else len(data)):
            assert is_truncated(data[:end]), end

    def test_progressive_files_are_told_apart_too(self, picture):
        done, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
        assert done
        data = data.tobytes()
        assert not is_truncated(data)
        assert all(is_truncated(data[:end]) for end in range(3, len(data)))

    def test_a_thumbnail_s_end_is_not_the_photograph_s(self, picture):
        thumbnail = encode(".jpg", picture[::4, ::4].copy())
        data = with_segment(encode(".jpg", picture), 0xE1, b"Exif\x00\x00" + thumbnail)
        assert decode_image(data).shape == picture.shape
        with pytest.raises(UnreadableImageError, match=r"the file ends before the image does \(truncated\)"):
            decode_image(data[:-200])

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", r"the file is empty \(0 bytes\)"),
            (b"This is a cat.", "its content is no image that OpenCV can decode"),
            (bytes(1000), "its content is no image that OpenCV can decode"),
            (b"\xff\xd8\xff", "the file ends before the image does"),
        ],
        ids=["empty", "text", "zeros", "a JPEG's first bytes"],
    )
    def test_what_is_no_image_is_named_with_the_reason(self, tmp_path, content, reason):
        path = tmp_path / "cat.0.jpg"
        path.write_bytes(content)
        with pytest.raises(UnreadableImageError, match=rf"image: .*cat\.0\.jpg cannot be read: {reason}") as caught:
            read_image(path)
        assert caught.value.path == str(path)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(UnreadableImageError, match=r"none\.jpg cannot be read: No such file"):
            read_image(tmp_path / "none.jpg")

    def test_a_folder_is_no_image(self, tmp_path):
        with pytest.raises(UnreadableImageError, match="cannot be read: Is a directory"):
            read_image(tmp_path)

    def test_channels_that_are_not_there_are_missed(self, picture):
        with pytest.raises(UnreadableImageError, match="it has 3 channels instead of 4"):
            decode_image(encode(".png", picture), decoding=Decoding(4))

    def test_the_error_is_a_user_s_and_survives_pickling(self):
        error = pickle.loads(pickle.dumps(UnreadableImageError("a.jpg", "broken")))
        assert isinstance(error, UserError)
        assert (str(error), error.path, error.reason) == ("image: a.jpg cannot be read: broken", "a.jpg", "broken")


@pytest.mark.parametrize(("suffix", "expected"), [(".jpg", True), (".png", False), (".bmp", False)])
def test_jpeg_files_are_known_by_their_first_bytes(picture, suffix, expected):
    assert is_jpeg(encode(suffix, picture)) is expected
