"""Every split gets its share of every class, and duplicates stay together."""

import numpy as np
import pytest

from pyimagesearch.building.duplicates import across_splits, conflicts
from pyimagesearch.building.splitting import split
from pyimagesearch.errors import UserError


class TestSplit:
    LABELS = np.repeat([0, 1, 2], [60, 30, 10])

    @pytest.mark.parametrize(
        ("val", "test", "sizes"), [(20, 10, (70, 20, 10)), (0.1, 0.2, (70, 10, 20)), (10, 0.5, (40, 10, 50))]
    )
    def test_sets_have_the_sizes_asked_for_and_share_no_row(self, val, test, sizes):
        sets = split(self.LABELS, val, test, 1)
        assert tuple(map(len, sets)) == sizes
        assert sorted(np.concatenate(sets).tolist()) == list(range(100))

    def test_every_set_has_its_share_of_every_class(self):
        for rows in split(self.LABELS, 20, 10, 1):
            shares = np.bincount(self.LABELS[rows]) / len(rows)
            np.testing.assert_allclose(shares, (0.6, 0.3, 0.1), atol=0.02)

    def test_rows_are_sorted(self):
        assert all((np.diff(rows) > 0).all() for rows in split(self.LABELS, 20, 10, 1))

    def test_equal_seeds_give_equal_splits_and_others_differ(self):
        first, same, other = (np.concatenate(split(self.LABELS, 20, 10, seed)).tolist() for seed in (1, 1, 2))
        assert first == same != other

    @pytest.mark.parametrize(("val", "test"), [(60, 40), (50, 48), (0.5, 0.5), (1000, 10)])
    def test_something_must_be_left_for_training(self, val, test):
        with pytest.raises(UserError, match=r"split: .* images leave -?[\d,]+ of 100 for training, and each of the 3"):
            split(self.LABELS, val, test, 1)

    @pytest.mark.parametrize(("val", "test"), [(2, 10), (10, 2), (0.01, 0.5)])
    def test_every_set_needs_every_class(self, val, test):
        with pytest.raises(
            UserError, match=r"split: every split needs an image of each of the 3 classes; .* rarest class 10"
        ):
            split(self.LABELS, val, test, 1)

    @pytest.mark.parametrize("labels", [[0] * 20 + [1], [0] * 20 + [1, 1]], ids=["once", "twice"])
    def test_a_class_that_cannot_be_in_all_sets_is_refused(self, labels):
        with pytest.raises(UserError, match="split: every split needs an image of each of the 2 classes"):
            split(np.array(labels), 5, 5, 1)

    @pytest.mark.parametrize("wrong", [0, -5, -0.1, 2.5, "10", None])
    @pytest.mark.parametrize("setting", ["num_val_images", "num_test_images"])
    def test_a_size_is_a_count_or_a_fraction(self, setting, wrong):
        message = f"{setting}: must be a count, a fraction below 1, or the name of a folder; received {wrong!r}"
        with pytest.raises(UserError, match=message):
            split(self.LABELS, **{"num_val_images": 10, "num_test_images": 10, setting: wrong}, seed=1)

    @pytest.mark.parametrize("seed", [-1, 2**32])
    def test_a_seed_is_one_of_scikit_learn_s(self, seed):
        with pytest.raises(UserError, match=f"seed: must be a whole number from 0 to 4294967295; received {seed}"):
            split(self.LABELS, 10, 10, seed)


class TestAcrossSplits:
    SPLITS = {"train": np.array([0, 1, 2, 7]), "val": np.array([3, 4]), "test": np.array([5, 6])}

    def test_groups_within_a_split_are_left_out(self):
        assert across_splits([[0, 2], [3, 4]], self.SPLITS) == []
        assert across_splits([], self.SPLITS) == []

    def test_the_rows_of_each_split_are_named(self):
        groups = [[0, 2, 3], [1, 7], [4, 5, 6]]
        assert across_splits(groups, self.SPLITS) == [{"train": [0, 2], "val": [3]}, {"val": [4], "test": [5, 6]}]

    def test_rows_in_no_split_are_passed_over(self):
        assert across_splits([[0, 99], [98, 99]], self.SPLITS) == []


def test_groups_of_different_labels_are_conflicts():
    labels = np.array([0, 0, 1, 1, 2, 0])
    assert conflicts([[0, 1], [1, 2], [2, 3], [3, 4, 5]], labels) == [[1, 2], [3, 4, 5]]
    assert conflicts([], labels) == []


def random_groups(n, seed, largest=4):
    """Return disjoint groups that cover about half of ``n`` rows."""
    rng = np.random.default_rng(seed)
    rows, groups = rng.permutation(n)[: n // 2].tolist(), []
    while len(rows) > largest:
        size = int(rng.integers(2, largest + 1))
        groups.append(sorted(rows[:size]))
        rows = rows[size:]
    return sorted(groups)


class TestSplitGroups:
    LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [120, 60, 20]))

    def test_without_groups_it_is_the_plain_split(self):
        for got, plain in zip(split(self.LABELS, 40, 20, 1, []), split(self.LABELS, 40, 20, 1), strict=True):
            np.testing.assert_array_equal(got, plain)

    @pytest.mark.parametrize("seed", range(40))
    def test_groups_stay_together_and_every_row_comes_once(self, seed):
        groups = random_groups(200, seed)
        sets = split(self.LABELS, 40, 0.1, seed, groups)
        assert sorted(np.concatenate(sets).tolist()) == list(range(200))
        assert all((np.diff(rows) > 0).all() and rows.dtype == np.int64 for rows in sets)
        assert across_splits(groups, dict(zip(("train", "val", "test"), sets, strict=True))) == []
        np.testing.assert_allclose([len(rows) for rows in sets], [140, 40, 20], atol=4)
        for rows in sets:
            assert set(self.LABELS[rows]) == {0, 1, 2}

    @pytest.mark.parametrize("seed", range(20))
    def test_counts_are_exact_where_lone_rows_allow(self, seed):
        groups = [group for group in random_groups(200, seed) if not conflicts([group], self.LABELS)]
        groups = [group for group in groups if self.LABELS[group[0]] < 2]
        for got, plain in zip(split(self.LABELS, 40, 20, seed, groups), split(self.LABELS, 40, 20, seed), strict=True):
            np.testing.assert_array_equal(np.bincount(self.LABELS[got]), np.bincount(self.LABELS[plain]))

    @pytest.mark.parametrize("seed", range(10))
    def test_large_groups_go_where_only_they_have_room(self, seed):
        labels = np.repeat([0, 1], [48, 12])
        groups = [[48, 49], [50, 51], list(range(52, 58))]
        counts = [np.bincount(labels[rows]).tolist() for rows in split(labels, 10, 10, seed, groups)]
        assert counts == [[32, 8], [8, 2], [8, 2]]

    def test_groups_are_spread_as_rows_are(self):
        labels = np.repeat([0, 1], 1000)
        groups = [[row, row + 1] for row in range(0, 2000, 4)]
        sets = split(labels, 400, 400, 3, groups)
        grouped = set(np.concatenate(groups).tolist())
        shares = [np.mean([row in grouped for row in rows.tolist()]) for rows in sets]
        np.testing.assert_allclose(shares, 0.5, atol=0.1)

    def test_sets_of_nothing_but_groups_deviate_by_less_than_two(self):
        labels = np.repeat([0, 1], 60)
        groups = np.arange(120).reshape(-1, 6).tolist()
        for seed in range(20):
            counts = [np.bincount(labels[rows]) for rows in split(labels, 20, 20, seed, groups)]
            np.testing.assert_array_less(np.abs(np.subtract(counts, [[40, 40], [10, 10], [10, 10]])), 12)

    def test_equal_seeds_give_equal_splits_and_others_differ(self):
        groups = random_groups(200, 5)
        first, same, other = (np.concatenate(split(self.LABELS, 40, 20, seed, groups)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, same)
        assert first.tolist() != other.tolist()

    def test_labels_need_not_count_from_0(self):
        groups = random_groups(200, 1)
        for got, plain in zip(
            split(self.LABELS * 10 + 5, 40, 20, 1, groups),
            split(self.LABELS, 40, 20, 1, groups),
            strict=True,
        ):
            np.testing.assert_array_equal(got, plain)

    @pytest.mark.parametrize(
        ("val", "test", "seed", "message"),
        [
            (150, 50, 1, r"split: .* images leave 0 of 200 for training"),
            (2, 20, 1, "split: every split needs an image of each of the 3 classes; .* the rarest class 20"),
            (0, 20, 1, "num_val_images: must be a count, a fraction below 1, or the name of a folder; received 0"),
            (40, 20, -1, "seed: must be a whole number from 0 to 4294967295; received -1"),
        ],
    )
    def test_errors_are_those_of_the_plain_split(self, val, test, seed, message):
        for groups in ([], random_groups(200, 0)):
            with pytest.raises(UserError, match=message):
                split(self.LABELS, val, test, seed, groups)

    def test_a_class_that_is_one_group_cannot_be_in_all_sets(self):
        labels = np.repeat([0, 1], [40, 10])
        message = (
            "split: every split needs an image of each of the 2 classes, which keeping groups and duplicates together "
            "does not allow: the largest of 1 groups has 10 images; add images, or split without groups"
        )
        with pytest.raises(UserError, match=message):
            split(labels, 10, 10, 1, [list(range(40, 50))])

    def test_the_last_rows_of_a_class_go_where_it_is_missing(self):
        labels = np.repeat([0, 1], [40, 5])
        for seed in range(10):
            for rows in split(labels, 9, 9, seed, [[40, 41], [42, 43]]):
                assert set(labels[rows]) == {0, 1}


def test_folders_are_splits():
    labels, paths = np.arange(40) % 2, [f"{'test' if i < 8 else 'train'}/{i % 2}/{i}.jpg" for i in range(40)]
    train, val, test = split(labels, 0.1, "test", 0, paths=paths)
    np.testing.assert_array_equal(test, np.arange(8))
    assert len(val) == 4
    np.testing.assert_array_equal(np.sort([*train, *val]), np.arange(8, 40))
    tops = [path.split("/")[0] for path in ["val/a"] * 4 + paths[4:]]
    train, val, test = split(labels, "val", "test", 0, paths=[f"{top}/x" for top in tops])
    assert list(map(len, (train, val, test))) == [32, 4, 4]


@pytest.mark.parametrize(
    ("folder", "groups", "message"),
    [
        (
            "tests",
            (),
            "must be a count, a fraction below 1, or the name of a folder; received 'tests'",
        ),
        ("test", [[0, 2]], "split: 1 of 1 groups lie in several of the splits .*, such as test/0 and cats/0; let"),
        ("cats", (), "split: every split needs an image of each of the 2 classes"),
    ],
)
def test_folders_that_are_no_splits(folder, groups, message):
    paths = ["test/0", "test/1", *["cats/0", "x/1"] * 10]
    with pytest.raises(UserError, match=message):
        split(np.arange(22) % 2, 4, folder, 0, groups, paths)


class TestKeptSplits:
    LABELS, KEPT = np.arange(40) % 2, ["test"] * 8 + ["train"] * 28 + ["val"] * 4

    def test_they_are_kept_as_they_are(self):
        train, val, test = split(self.LABELS, 0.1, 0.1, 0, kept=self.KEPT)
        assert (test.tolist(), train.tolist(), val.tolist()) == ([*range(8)], [*range(8, 36)], [*range(36, 40)])

    @pytest.mark.parametrize("groups", [(), [[0, 1], [20, 21, 22], [30, 31]]])
    def test_what_is_missing_is_drawn_from_the_rest(self, groups):
        kept = ["train" if name == "val" else name for name in self.KEPT]
        train, val, test = split(self.LABELS, 4, 0.5, 0, groups, kept=kept)
        np.testing.assert_array_equal(test, np.arange(8))
        np.testing.assert_array_equal(np.sort([*train, *val]), np.arange(8, 40))
        assert len(val) == 4 or groups
        assert all(set(group) <= set(rows) or not set(group) & set(rows) for group in groups for rows in (train, val))

    def test_groups_across_them_are_refused(self):
        paths = [f"{name}/{i}.jpg" for i, name in enumerate(self.KEPT)]
        with pytest.raises(
            UserError,
            match=r"split: 1 of 2 groups lie in several of the splits that are kept, such as test/7\.jpg and tr",
        ):
            split(self.LABELS, 4, 4, 0, [[0, 1], [7, 8]], paths, self.KEPT)

    def test_a_class_that_they_lack_is_said(self):
        with pytest.raises(
            UserError, match="each of the 2 classes; those that are given for num_val_images lack 1; add"
        ):
            split(self.LABELS, 4, 4, 0, kept=["val" if i in (0, 2) else "train" for i in range(40)])


class TestManyGroups:
    """Every image has a group, as that of a patient."""

    @pytest.mark.parametrize("seed", range(4))
    def test_shares_of_splits_and_classes_are_about_those_asked(self, seed):
        rng = np.random.default_rng(seed)
        patients = np.sort(rng.integers(0, 200, 2000))
        labels = np.array([rng.choice(3, p=share) for share in rng.dirichlet((2, 1, 0.3), 200)[patients]])
        groups = [np.flatnonzero(patients == patient).tolist() for patient in np.unique(patients)]
        splits = split(labels, 0.15, 0.2, seed, groups)
        np.testing.assert_array_equal(np.sort(np.concatenate(splits)), np.arange(2000))
        homes = [set(patients[rows]) for rows in splits]
        assert sum(map(len, homes)) == len(set(patients))
        for rows, share in zip(splits, (0.65, 0.15, 0.2), strict=True):
            assert abs(len(rows) / 2000 - share) < 0.03
            np.testing.assert_allclose(np.bincount(labels[rows]) / len(rows), np.bincount(labels) / 2000, atol=0.03)

    def test_equal_seeds_give_equal_splits(self):
        groups = [[i, i + 1, i + 2] for i in range(0, 90, 3)]
        first, same, other = (np.concatenate(split(np.arange(90) % 3, 9, 9, s, groups)).tolist() for s in (1, 1, 2))
        assert first == same != other
