import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.csvlist import list_image_csv, list_images


@pytest.fixture
def kaggle(tmp_path):
    """Return a function that writes a list beside the images train/a.jpg, b.jpg and c.png."""
    for name in ("a.jpg", "b.jpg", "c.png"):
        (tmp_path / "train" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "train" / name).touch()

    def write(text, encoding="utf-8"):
        (tmp_path / "labels.csv").write_text(text, encoding)
        return tmp_path / "labels.csv"

    return write


def named(images):
    return dict(zip(images.paths, [images.label_names[label] for label in images.labels], strict=True))


EXPECTED = {"train/a.jpg": "pug", "train/b.jpg": "beagle", "train/c.png": "pug"}


@pytest.mark.parametrize(
    "text",
    [
        "id,breed\nc,pug\na,pug\nb,beagle\n",
        "id;breed\nc;pug\na;pug\nb;beagle",
        "x\ty\nc.png\tpug\na\tpug\n\nb.jpg\tbeagle\n",
        "breed,width,id\npug,3,c\npug,3,a\nbeagle,4,b\n",
        ",Label,File\n0,pug,a\n1,pug,c\n2,beagle,b\n",
        'name,kind\n"train/a.jpg", pug\n train/b ,beagle\ntrain/c.png,pug\n',
    ],
)
def test_names_and_labels_are_found_by_their_columns(kaggle, text):
    path = kaggle(text)
    images = list_image_csv(path)
    assert images.root == path.parent
    assert images.paths == sorted(EXPECTED)
    assert named(images) == EXPECTED
    assert images.label_names == ["beagle", "pug"]
    assert images.labels.dtype == np.int64


def test_a_byte_order_mark_is_no_part_of_a_name(kaggle):
    assert named(list_image_csv(kaggle("id,breed\na,é\n", "utf-8-sig"))) == {"train/a.jpg": "é"}


def test_images_beside_the_list_come_first_then_those_of_a_folder_called_like_it(kaggle):
    path = kaggle("id,breed\na,pug\nb,beagle\nc,pug\n")
    for place in ("a.JPG", "labels/a.jpg", "labels/b.jpg"):
        (path.parent / place).parent.mkdir(exist_ok=True)
        (path.parent / place).touch()
    assert sorted(list_image_csv(path).paths) == ["a.JPG", "labels/b.jpg", "train/c.png"]


def test_a_folder_or_a_list_by_what_the_path_is(kaggle):
    path = kaggle("id,breed\na,pug\n")
    assert named(list_images(path, label_from_name)) == {"train/a.jpg": "pug"}
    assert list_images(path.parent, label_from_name).paths == sorted(EXPECTED)
    with pytest.raises(UserError, match=r"labels\.txt, which does not exist"):
        list_images(path.with_suffix(".txt"), label_from_name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: must name the columns of images and labels, as in id,label; received nothing"),
        ("id\na\n", "line 1: must name the columns .*; received id; add"),
        ("a.jpg,pug\nb.jpg,pug\n", r"line 1: must name the columns, as in id,label; received the image a\.jpg"),
        ("a,pug\nb,pug\n", "line 1: must name the columns, as in id,label; received the image a; add"),
        ("id,breed\n", "names no images; every line"),
        ("id,breed\na,pug\nb\n", "line 3: must have 2 columns; received 1; correct"),
        ("id,breed\na,pug\n\nb, \n", "line 4: must have a name and a label; received 'b' and ''"),
        ("id,breed\n,pug\n", "line 2: must have a name and a label; received '' and 'pug'"),
        ("id,breed\na,pug\nb,pug\na.jpg,pug\n", r"line 4: every image .* once; train/a\.jpg is also in line 2"),
        ("id,breed\na,pug\nx,pug\ny.jpg,cat\n", r"missing are those of line 3 x, line 4 y\.jpg; move the images"),
        ("id,breed\n" + "".join(f"x{i},pug\n" for i in range(9)), "line 6 x4 and 4 more; move"),
        ("id,breed\n../train/a.jpg,pug\n", r"line 2: images must lie below .*; received \.\./train/a\.jpg"),
        ("id,breed\ntrain\\..\\..\\a,pug\n", "line 2: images must lie below the folder of the list"),
        ("id,breed\n/etc/a.jpg,pug\n", "line 2: images must lie below the folder of the list"),
        ("id,breed\nC:\\a.jpg,pug\n", "line 2: images must lie below the folder of the list"),
        ("id,breed\na\0,pug\n", "missing are those of line 2"),
        ('id,breed\n"' + "x" * 200_000 + '",pug\n', r"must be a CSV file in UTF-8; it is not \(field larger"),
    ],
)
def test_mistakes_are_told_with_their_line(kaggle, text, message):
    with pytest.raises(UserError, match=f"dataset: .*{message}"):
        list_image_csv(kaggle(text))


def test_a_name_must_stand_for_one_image(kaggle):
    path = kaggle("id,breed\na,pug\n")
    (path.parent / "train/a.png").touch()
    with pytest.raises(UserError, match=r"line 2: .* a stands for a\.jpg and a\.png in .*train; write it with its suf"):
        list_image_csv(path)


def test_it_must_be_text(kaggle, tmp_path):
    with pytest.raises(UserError, match=r"must be a CSV file in UTF-8; it is not .*utf-8.* can't decode"):
        list_image_csv(kaggle("id,breed\na,é\n", "latin-1"))
    with pytest.raises(UserError, match=r"none\.csv cannot be read \(No such file or directory\); pass a CSV file"):
        list_image_csv(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=r"folder\.csv cannot be read \(Is a directory\)"):
        list_image_csv(tmp_path / "folder.csv")
