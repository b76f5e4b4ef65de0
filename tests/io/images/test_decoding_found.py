"""Images as people have them: from the wild, from phones, from instruments of more than 8 bits."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image, largest_value, read_image


class TestFilesFromTheWild:
    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("Landscape_1.jpg", (1200, 1800, 3)),
            ("Landscape_3.jpg", (1200, 1800, 3)),
            ("Landscape_6.jpg", (1200, 1800, 3)),
            ("Landscape_8.jpg", (1200, 1800, 3)),
            ("Portrait_5.jpg", (1800, 1200, 3)),
            ("hopper.gif", (128, 128, 3)),
            ("hopper.webp", (128, 128, 3)),
            ("hopper_bad_exif.jpg", (500, 500, 3)),
            ("hopper_gray.jpg", (128, 128, 3)),
            ("png_named.jpg", (150, 200, 3)),
        ],
    )
    def test_these_can_be_read(self, bad_images, name, shape):
        image = read_image(bad_images / name)
        assert image.shape == shape
        assert 50 < image.mean() < 220

    @pytest.mark.parametrize("name", ["Landscape_3.jpg", "Landscape_6.jpg", "Landscape_8.jpg"])
    def test_turned_photographs_show_the_same_landscape(self, bad_images, name):
        upright, turned = read_image(bad_images / "Landscape_1.jpg"), read_image(bad_images / name)
        assert abs(upright.astype(int) - turned).mean() < 5

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("broken_data_stream.png", "truncated"),
            ("decompression_bomb.gif", "pixels, more than"),
            ("text_named.jpg", "no image that OpenCV can decode"),
            ("truncated_dog.100.jpg", "truncated"),
            ("truncated_jpeg.jpg", "truncated"),
            ("zero_byte.jpg", "empty"),
        ],
    )
    def test_these_cannot(self, bad_images, name, reason):
        with pytest.raises(UnreadableImageError, match=f"{name} cannot be read: .*{reason}"):
            read_image(bad_images / name)

    @pytest.mark.parametrize("name", ["pil_sample_cmyk.jpg", "mode_16bit.png", "mode_grayscale_alpha.png"])
    def test_unusual_pixels_are_converted_as_pillow_does(self, bad_images, name):
        pillow = pytest.importorskip("PIL.Image")
        with pillow.open(bad_images / name) as opened:
            expected = np.asarray(opened.convert("RGB"))[..., ::-1]
        assert abs(read_image(bad_images / name).astype(int) - expected).mean() < 3


class TestPhones:
    """HEIF and AVIF, which phones write."""

    @staticmethod
    def encoded(kind, mode="RGB", **options):
        pillow_heif = pytest.importorskip("pillow_heif")
        pillow_heif.register_heif_opener()
        pixels = np.zeros((40, 60, len(mode)), np.uint8)
        pixels[:, :30, 0] = pixels[..., 3:] = 255  # red, or transparent black
        stream = io.BytesIO()
        Image.fromarray(pixels, mode).save(stream, kind, quality=95, **options)
        return stream.getvalue()

    @pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
    def test_they_are_read_as_others_are(self, kind):
        data = self.encoded(kind)
        image = decode_image(data)
        assert image.shape == (40, 60, 3)
        np.testing.assert_allclose(image[20, 10], (0, 0, 255), atol=12)
        assert decode_image(data, decoding=Decoding(1)).shape == (40, 60, 1)

    @pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
    def test_faults_are_told(self, kind):
        data = self.encoded(kind)
        with pytest.raises(UnreadableImageError, match=rf"it is of the format {kind.lower()}; accepted are jpeg"):
            decode_image(data, decoding=Decoding(formats=("jpeg",)))
        with pytest.raises(UnreadableImageError, match="more than 100 in all"):
            decode_image(data, decoding=Decoding(max_pixels=100))
        for end in (40, len(data) // 2, len(data) - 9):
            with pytest.raises(UnreadableImageError):
                decode_image(data[:end])

    def test_the_package_to_install_is_named(self, monkeypatch):
        monkeypatch.setattr("pyimagesearch.io.images.decoding.image_size", lambda data: None)
        with pytest.raises(
            UnreadableImageError,
            match=r'it is HEIF, which Pillow cannot read here.*pip install "pyimagesearch\[heif\]"',
        ):
            decode_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


class TestDeepImages:
    @pytest.mark.parametrize("suffix", [".png", ".tiff"])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_twelve_bits_are_scaled_by_the_value_given(self, suffix, channels):
        pixels = np.full((20, 20), 4095, np.uint16)
        pixels[:, :10] = 2048
        data = cv2.imencode(suffix, pixels)[1].tobytes()
        assert decode_image(data, decoding=Decoding(channels)).max() == 15
        image = decode_image(data, decoding=Decoding(channels, max_value=4095))
        assert image.shape == (20, 20, channels)
        assert (image[0, 0, 0], image[0, -1, 0]) == (128, 255)
        assert largest_value(data) == 4095

    def test_other_images_stay(self):
        image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
        data = cv2.imencode(".png", image)[1].tobytes()
        np.testing.assert_array_equal(decode_image(data, decoding=Decoding(max_value=4095)), image)
        assert largest_value(data) == 0
        with pytest.raises(UserError, match="max_value: must be at least 1; received 0"):
            Decoding(max_value=0).check()
