"""The headers of lists that people really have."""

import logging

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.folder import check_classes, known_splits


@pytest.fixture
def listed(tmp_path):
    """Return a function that lists images a.jpg to d.jpg by a CSV text."""
    for name in "abcd":
        (tmp_path / f"{name}.jpg").touch()

    def read(text, **options):
        (tmp_path / "list.csv").write_text(text)
        return list_images(tmp_path / "list.csv", label_from_name, **options)

    return read


GTSRB = "Width,Height,ClassId,Path\n27,26,20,a.jpg\n28,27,21,b.jpg\n"
HAM = "lesion_id,image_id,dx,age\nHAM_1,a,bkl,80\nHAM_2,b,nv,75\n"
ISIC = "image_name,patient_id,sex,target\na,IP_1,male,0\nb,IP_2,female,1\n"


class TestColumns:
    @pytest.mark.parametrize(
        ("text", "columns", "names"),
        [
            (GTSRB, ("Path", "ClassId"), ["20", "21"]),
            (ISIC, ("image_name", "target"), ["0", "1"]),
            (",File Path,Class Name\n0,a.jpg,x\n1,b.jpg,y\n", ("File Path", "Class Name"), ["x", "y"]),
            ("id,filename,label\n7,a.jpg,x\n8,b.jpg,y\n", ("filename", "label"), ["x", "y"]),
            ("when,what,photo\n1,x,a.jpg\n2,y,b.jpg\n", ("photo", "what"), None),
            ("photo,what\na,x\nb,y\n", ("photo", "what"), ["x", "y"]),
        ],
    )
    def test_known_or_only_columns_are_taken_and_said(self, listed, caplog, text, columns, names):
        caplog.set_level(logging.INFO)
        if names is None:
            with pytest.raises(UserError, match="has the columns when, what, photo; none of which is called label"):
                listed(text)
            return
        images = listed(text)
        assert (images.columns["files"], images.columns["labels"]) == columns
        assert images.label_names == names
        assert f"images from {columns[0]}, labels from {columns[1]}" in caplog.text

    def test_what_is_not_known_is_asked(self, listed):
        with pytest.raises(
            UserError,
            match=r"label_column: .*list\.csv has the columns lesion_id, image_id, dx, age; none of which is called "
            r'label, labels, class.*; name that of labels with label_column="NAME".* file_column="NAME" unless it is '
            r"image_id",
        ):
            listed(HAM)
        images = listed(HAM, label_column="dx")
        assert images.label_names == ["bkl", "nv"]
        assert listed(HAM, label_column="dx", file_column="image_id").paths == ["a.jpg", "b.jpg"]

    def test_two_known_names_are_asked(self, listed):
        with pytest.raises(UserError, match="class and category may both hold labels; name that of labels"):
            listed("id,class,category\na,x,p\nb,y,q\n")

    def test_files_that_nothing_names_are_asked(self, listed):
        with pytest.raises(
            UserError, match=r'file_column: .* has the columns where, label, none of which.*file_column="NAME"'
        ):
            listed("where,label\nx,1\ny,2\n")

    def test_one_hot_columns_are_no_labels(self, listed):
        with pytest.raises(UserError, match=r"\(MEL, NV hold nothing but 0 and 1: write the names of classes into"):
            listed("image,MEL,NV\na,0.0,1.0\nb,1.0,0.0\n")
        with pytest.raises(
            UserError, match=r"\(MEL, NV hold nothing but 0 and 1, with several 1 on a line: images have"
        ):
            listed("image,MEL,NV\na,1,1\nb,1,0\n")

    @pytest.mark.parametrize(
        ("first", "second", "words"),
        [
            ("Mass|Nodule", "Mass", r"several labels to an image, such as 'Mass\|Nodule': images have one class each"),
            ('"cat, dog"', "cat\nc,dog", "several labels to an image, such as 'cat, dog'"),
            ("3.5", "12", "numbers to predict, such as 3.5: images have a class each here"),
        ],
    )
    def test_other_targets_are_refused_in_one_line(self, listed, first, second, words):
        with pytest.raises(UserError, match=f"^label_column: the column target gives {words}") as caught:
            check_classes(listed(f"id,target\na,{first}\nb,{second}\n"))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "labels", [("jay, blue", "jay, gray"), ("0.0", "1.0"), ("1", "2"), ("|", "||"), ("red car", "red bus")]
    )
    def test_odd_names_of_classes_are_none_of_these(self, listed, labels):
        check_classes(listed('id,target\na,"{}"\nb,"{}"\n'.format(*labels)))

    @pytest.mark.parametrize("kind", ["label_column", "file_column", "split_column", "group_column"])
    def test_columns_given_must_be_there(self, listed, kind):
        with pytest.raises(UserError, match=f"{kind}: must be a column of .*, which has id, label; received 'kind'"):
            listed("id,label\na,x\n", **{kind: "kind"})

    def test_labels_that_are_all_different_are_no_classes(self, tmp_path):
        for index in range(12):
            (tmp_path / f"{index}.jpg").touch()
        (tmp_path / "ages.csv").write_text("id,age\n" + "".join(f"{index},{index * 3}\n" for index in range(12)))
        with pytest.raises(
            UserError,
            match="label_column: the column age gives 12 different values to 12 images, such as 0, 12, 15: numbers to "
            "predict or names of images, no classes",
        ):
            check_classes(list_images(tmp_path / "ages.csv", label_from_name))


class TestSplitsAndGroups:
    TEXT = "id,label,subset,patient_id\na,x,train,p1\nb,y,train,p1\nc,x,valid,p2\nd,y,Test,p3\n"

    def test_a_column_of_splits_is_kept_and_said(self, listed, caplog):
        caplog.set_level(logging.INFO)
        images = listed(self.TEXT)
        assert images.splits == ["train", "train", "val", "test"]
        assert images.columns["splits"] == "subset"
        assert "splits are kept as they are: 2 train, 1 val, 1 test; keep_splits=False draws them" in caplog.text
        assert 'images of one patient_id may come into several splits; group_column="patient_id"' in caplog.text
        with pytest.raises(UserError, match="has the columns id, kind, subset"):
            listed(self.TEXT.replace("label", "kind"), keep_splits=False)

    def test_splits_may_be_drawn_nevertheless(self, listed):
        assert listed(self.TEXT, keep_splits=False).splits == ()
        assert listed(self.TEXT, keep_splits=False, split_column="subset").splits[0] == "train"

    def test_a_column_given_must_hold_splits(self, listed):
        with pytest.raises(
            UserError, match=r"split_column: must hold train, .* on every line; patient_id of .* also holds 'p1', 'p2'"
        ):
            listed(self.TEXT, split_column="patient_id")

    def test_groups_come_from_a_column_or_a_function(self, listed):
        images = listed(self.TEXT, group_column="patient_id")
        assert images.groups == ["p1", "p1", "p2", "p3"]
        assert listed(self.TEXT, group_of=lambda path: None if path.endswith("a.jpg") else 7).groups == ["", *"777"]

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["Training", "valid", "TESTING"], ["train", "val", "test"]),
            (["train", "train"], []),
            (["val", "test"], []),
            (["train", "val", "extra"], []),
        ],
    )
    def test_splits_have_many_names(self, names, expected):
        assert known_splits(names) == expected
