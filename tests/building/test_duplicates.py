"""Pictures that are there twice are found, and no others."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from pyimagesearch.building import duplicates
from pyimagesearch.building.duplicates import Fingerprint, find_duplicates, fingerprint
from pyimagesearch.errors import UserError
from pyimagesearch.samples.animals import paint


def drawing(seed):
    return paint(("cat", "dog")[seed % 2], np.random.default_rng(seed))


def print_of(image):
    """Return the fingerprint of pixels that are stored without loss."""
    return fingerprint(cv2.imencode(".png", image)[1].tobytes(), image)


def with_hashes(hashes):
    return [Fingerprint(b"%d" % row, int(phash)) for row, phash in enumerate(hashes)]


def as_jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def trimmed(image):
    """Cut off a hundredth at each edge."""
    (h, w), (y, x) = image.shape[:2], np.array(image.shape[:2]) // 100 + 1
    return image[y : h - y, x : w - x]


COPIES = {
    "jpeg": lambda image: as_jpeg(image, 50),
    "half": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "double": lambda image: cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    "squeezed": lambda image: cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1.05, beta=10),
    "gray": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None],
    "trimmed": trimmed,
}


@pytest.fixture(scope="module")
def drawings():
    return [drawing(seed) for seed in range(60)]


@pytest.fixture(scope="module")
def prints(drawings):
    return [print_of(image) for image in drawings]


class TestFingerprint:
    def test_the_digest_is_of_the_bytes_and_the_hash_of_the_pixels(self, drawings):
        first, again = (fingerprint(data, drawings[0]) for data in (b"a", b"b"))
        assert first == fingerprint(b"a", drawings[0])
        assert first.digest != again.digest
        assert len(first.digest) == 32
        assert first.phash == again.phash
        assert 0 <= first.phash < 2**64

    def test_the_hash_has_64_bits_of_which_half_are_set(self, prints):
        assert {each.phash.bit_count() for each in prints} == {32}
        used = np.bitwise_or.reduce(np.array([each.phash for each in prints], np.uint64))
        assert int(used).bit_count() == 64

    def test_threads_agree(self, drawings, prints):
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(print_of, drawings)) == prints

    def test_the_image_is_left_as_it_is(self, drawings):
        image = drawings[0].copy()
        image.setflags(write=False)
        print_of(image)
        np.testing.assert_array_equal(image, drawings[0])

    @pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 1), (300, 2, 3), (31, 33, 1), (700, 128, 4), (129, 257, 2)])
    def test_any_shape_will_do(self, shape):
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        first = fingerprint(b"", image)
        assert first == fingerprint(b"", image.copy())
        assert first.phash is None or first.phash < 2**64

    @pytest.mark.parametrize("colour", [0, 7, 128, 255])
    @pytest.mark.parametrize("noise", [0, 4])
    def test_flat_pictures_have_no_hash(self, colour, noise):
        image = np.random.default_rng(colour).normal(colour, noise, (120, 160, 3)).clip(0, 255).astype(np.uint8)
        assert print_of(image).phash is None
        assert print_of(as_jpeg(image, 90)).phash is None

    @pytest.mark.parametrize("axis", [0, 1])
    def test_gradients_and_stripes_have_no_hash(self, axis):
        ramp = np.linspace(20, 220, 160)
        for profile in (ramp, ramp[::-1], ramp // 40 % 2 * 255):
            image = np.repeat(profile[None], 120, 0)
            image = np.moveaxis(image, 1, axis).astype(np.uint8)[..., None]
            assert print_of(image).phash is None


class TestFindDuplicates:
    def test_nothing_and_one_image_have_none(self, prints):
        assert find_duplicates([]) == find_duplicates(prints[:1]) == []
        assert find_duplicates([], None) == find_duplicates(prints[:1], None) == []

    def test_different_drawings_are_no_duplicates(self, prints):
        assert find_duplicates(prints) == []

    def test_equal_files_are_found_at_any_distance(self, prints):
        rows = [3, 0, 1, 0, 2, 3, 3]
        for distance in (None, 0, 6):
            assert find_duplicates([prints[row] for row in rows], distance) == [[0, 5, 6], [1, 3]]

    @pytest.mark.parametrize("copy", COPIES)
    def test_pictures_stored_anew_are_found(self, drawings, prints, copy):
        copies = [print_of(COPIES[copy](image)) for image in drawings]
        found = find_duplicates(prints + copies)
        expected = [[row, row + len(prints)] for row in range(len(prints))]
        assert all(group in expected for group in found)
        assert len(found) >= 0.9 * len(expected)
        assert find_duplicates(prints + copies, None) == []

    @pytest.mark.parametrize("other", [lambda image: image[:, ::-1], lambda image: image[: len(image) * 2 // 3]])
    def test_mirrored_and_heavily_cropped_pictures_are_not(self, drawings, prints, other):
        others = [print_of(np.ascontiguousarray(other(image))) for image in drawings]
        assert find_duplicates(prints + others) == []

    def test_flat_pictures_are_duplicates_only_of_equal_files(self):
        images = [np.full((90, 110, 3), shade, np.uint8) for shade in (0, 50, 51, 255, 50)]
        assert find_duplicates([print_of(image) for image in images]) == [[1, 4]]

    def test_groups_are_chained(self):
        hashes = [0, 0b111, 0b111111, 0b111111111]
        assert find_duplicates(with_hashes(hashes), 3) == [[0, 1, 2, 3]]
        assert find_duplicates(with_hashes(hashes), 2) == []

    def test_equal_files_and_equal_hashes_chain_with_one_another(self):
        rows = [Fingerprint(b"a", 1), Fingerprint(b"b", None), Fingerprint(b"c", 1), Fingerprint(b"c", 2**63)]
        assert find_duplicates(rows, 0) == [[0, 2, 3]]
        assert find_duplicates([*rows, Fingerprint(b"b", None)], 0) == [[0, 2, 3], [1, 4]]

    @pytest.mark.parametrize("n", [2, 50, 700])
    @pytest.mark.parametrize("distance", [0, 1, 2, 3, 4, 6, 9, 12, 16])
    def test_it_finds_what_comparing_all_pairs_finds(self, n, distance):
        rng = np.random.default_rng(n + distance)
        hashes = rng.integers(0, 2**64, n, np.uint64)
        for row in range(0, n, 3):  # a third are within 0 to 18 bits of an earlier one
            for bit in rng.choice(64, rng.integers(0, 19), replace=False):
                hashes[row] = hashes[row] ^ np.uint64(1 << int(bit)) if bit else hashes[row // 2]
        assert find_duplicates(with_hashes(hashes), distance) == brute_force(hashes, distance)

    @pytest.mark.parametrize("kept", [1, 2, 3, 4])
    def test_every_number_of_bands_finds_the_same(self, monkeypatch, kept):
        rng = np.random.default_rng(kept)
        hashes = np.repeat(rng.integers(0, 2**64, 40, np.uint64), 3)
        hashes ^= np.array([sum(1 << int(bit) for bit in rng.choice(64, 6, False)) for _ in hashes], np.uint64)
        monkeypatch.setattr(duplicates, "_SORTING", {1: 1e9, 2: 1e-1, 3: 1e-4, 4: 0}[kept])
        masks = list(duplicates._masks(len(hashes), 6))
        assert len(masks) in (7, 28, 84, 210)
        assert find_duplicates(with_hashes(hashes), 6) == brute_force(hashes, 6)

    def test_crowds_of_equal_hashes_are_no_work(self):
        assert find_duplicates(with_hashes([2**40 + 1] * 100_000)) == [list(range(100_000))]

    def test_crowds_of_similar_hashes_are_bounded_work(self, monkeypatch):
        crowd = with_hashes(range(4096))
        assert find_duplicates(crowd, 3) == [list(range(4096))]
        monkeypatch.setattr(duplicates, "_MAX_BUCKET", 20)
        pairs = list(duplicates._close_pairs(np.arange(4096, dtype=np.uint64), np.uint64(2**63), 3))
        assert len(pairs) == 20
        for a, b in pairs:
            assert all((first ^ second).bit_count() <= 3 for first, second in zip(a.tolist(), b.tolist(), strict=True))

    def test_the_order_of_the_rows_does_not_matter(self, drawings, prints):
        rows = prints + [print_of(as_jpeg(image, 50)) for image in drawings]
        order = np.random.default_rng(0).permutation(len(rows))
        shuffled = find_duplicates([rows[row] for row in order])
        assert sorted(sorted(order[group].tolist()) for group in shuffled) == find_duplicates(rows)

    @pytest.mark.parametrize("wrong", [-1, 17, 2.5, "6"])
    def test_the_distance_has_a_range(self, prints, wrong):
        message = f"max_distance: must be a whole number from 0 to 16, or None; received {wrong!r}"
        with pytest.raises(UserError, match=message):
            find_duplicates(prints, wrong)


def brute_force(hashes, distance):
    """Group by comparing all pairs, with the simplest union-find."""
    home = list(range(len(hashes)))
    for a, first in enumerate(hashes.tolist()):
        for b, second in enumerate(hashes[:a].tolist()):
            if (first ^ second).bit_count() <= distance and home[a] != home[b]:
                old, new = home[a], home[b]
                home = [new if each == old else each for each in home]
    groups = [[row for row, each in enumerate(home) if each == name] for name in set(home)]
    return sorted(group for group in groups if len(group) > 1)
