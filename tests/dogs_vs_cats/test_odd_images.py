"""Readable images of odd kinds become upright rows of three channels; real unreadable ones are named."""

import io
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.dogs_vs_cats.mistakes import assert_refused, rows_of, write_noise

ROOT = Path(__file__).resolve().parents[2]
REAL_BAD_IMAGES = ROOT.parent / "shared/data/bad_images"
# Readable images of odd kinds: four colours in the quarters of each, which must come out upright.
QUARTERS = {"top left": (200, 30, 30), "top right": (40, 160, 60), "bottom left": (30, 50, 200),
            "bottom right": (220, 210, 40)}  # fmt: skip
PLACES = {"top left": (18, 18), "top right": (18, 54), "bottom left": (54, 18), "bottom right": (54, 54)}


def upright() -> np.ndarray:
    top = [QUARTERS["top left"], QUARTERS["top right"]]
    bottom = [QUARTERS["bottom left"], QUARTERS["bottom right"]]
    return np.kron(np.array([top, bottom], np.uint8), np.ones((48, 48, 1), np.uint8))


def in_gray(color: tuple[int, int, int]) -> tuple[int, int, int]:
    return (round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]),) * 3


def encode(image: Image.Image | np.ndarray, suffix: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))
    picture.save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()), **options)
    return buffer.getvalue()


def odd_images() -> dict[str, bytes]:
    """Return files whose display shows `upright`, some in gray, one with a transparent quarter."""
    pixels, picture = upright(), Image.fromarray(upright())
    alpha = np.full((96, 96, 1), 255, np.uint8)
    alpha[:48, :48] = 0
    gray_16bit = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    files = {
        "gray.jpg": encode(picture.convert("L"), "jpg"),
        "gray.png": encode(picture.convert("L"), "png"),
        "gray_16bit.png": encode(Image.fromarray(gray_16bit), "png"),
        "color_16bit.png": cv2.imencode(".png", pixels[..., ::-1].astype(np.uint16) * 257)[1].tobytes(),
        "alpha.png": encode(np.concatenate([pixels, alpha], axis=2), "png"),
        "palette.png": encode(picture.convert("P", palette=Image.Palette.ADAPTIVE), "png"),
        "palette.gif": encode(picture.convert("P", palette=Image.Palette.ADAPTIVE), "gif"),
        "cmyk.jpg": encode(picture.convert("CMYK"), "jpg", quality=95),
        "png_inside.jpg": encode(picture, "png"),
        "plain.bmp": encode(picture, "bmp"),
        "plain.tif": encode(picture, "tif"),
        "plain.webp": encode(picture, "webp", lossless=True),
    }
    as_stored = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: pixels.transpose(1, 0, 2), 6: np.rot90(pixels), 7: np.rot90(pixels.transpose(1, 0, 2), 2),
        8: np.rot90(pixels, -1),
    }  # fmt: skip
    for orientation, stored in as_stored.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        files[f"exif_{orientation}.jpg"] = encode(stored, "jpg", exif=exif, quality=95)
    return files


ODD_IMAGES = odd_images()


@pytest.fixture(scope="module")
def odd_rows(tmp_path_factory, call, write_config):
    folder = tmp_path_factory.mktemp("odd")
    for number in range(10):
        write_noise(folder / f"images/plain.{number}.jpg")
    for name, data in ODD_IMAGES.items():
        (folder / "images" / f"odd.{name}").write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcome = call("build_dogs_vs_cats", "--config", write_config(folder))
    assert outcome.code == 0, outcome.err
    return rows_of(folder / "output")


@pytest.mark.parametrize("name", ODD_IMAGES)
def test_odd_but_readable_images_become_upright_rows_of_three_channels(name, odd_rows):
    row = odd_rows[f"odd.{name}"]
    assert row.shape == (72, 72, 3)
    assert row.dtype == np.uint8
    for quarter, color in QUARTERS.items():
        expected = in_gray(color) if name.startswith("gray") else color
        if name == "alpha.png" and quarter == "top left":
            expected = (255, 255, 255)
        r, g, b = expected
        assert row[PLACES[quarter]].tolist() == pytest.approx((b, g, r), abs=6), quarter


@pytest.mark.skipif(not REAL_BAD_IMAGES.is_dir(), reason="the images from real folders are not here")
def test_images_from_real_folders(workplace, call, write_config):
    shutil.copytree(REAL_BAD_IMAGES, workplace / "real", copy_function=shutil.copyfile)
    (workplace / "real").chmod(0o755)
    for number in range(10):
        write_noise(workplace / f"real/noise_{number}.jpg")
    label_of = 'LABEL_OF = lambda path: "noise" if "noise" in path else "real"'
    config = write_config(workplace, label_of)
    stopped = call("build_dogs_vs_cats", "-d", "real", "-o", "new", "--config", config)
    assert_refused(stopped, r"dataset: \d+ of 30 images in real cannot be read")
    outcome = call("build_dogs_vs_cats", "-d", "real", "-o", "new", "--on-error", "skip", "--config", config)
    assert outcome.code == 0, outcome.err
    skipped = json.loads((workplace / "new/build.json").read_text())["skipped"]
    assert skipped.keys() == {
        "broken_data_stream.png", "decompression_bomb.gif", "text_named.jpg", "truncated_dog.100.jpg",
        "truncated_jpeg.jpg", "zero_byte.jpg",
    }  # fmt: skip
    rows = rows_of(workplace / "new")
    assert {row.shape for row in rows.values()} == {(72, 72, 3)}
    for turned in ("Landscape_3.jpg", "Landscape_6.jpg", "Landscape_8.jpg"):
        difference = rows[turned].astype(int) - rows["Landscape_1.jpg"]
        assert np.abs(difference).mean() < 8
    gray = rows["hopper_gray.jpg"]
    assert (gray == gray[..., :1]).all()
    assert gray.std() > 10
