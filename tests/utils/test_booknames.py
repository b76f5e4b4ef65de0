import inspect

import pytest

from pyimagesearch.utils.booknames import accepts_book_names, snake_case

SPELLINGS = {
    "dbPath": "db_path",
    "batchSize": "batch_size",
    "outputPath": "output_path",
    "dataKey": "data_key",
    "bufSize": "buf_size",
    "buffSize": "buf_size",
    "storeClassLabels": "store_class_labels",
    "numImages": "num_images",
    "rMean": "r_mean",
    "gMean": "g_mean",
    "bMean": "b_mean",
    "dataFormat": "data_format",
    "figPath": "fig_path",
    "jsonPath": "json_path",
    "startAt": "start_at",
}


@pytest.mark.parametrize(("book", "ours"), SPELLINGS.items())
def test_the_book_s_names_have_a_pep_8_spelling(book, ours):
    assert snake_case(book) == ours
    assert snake_case(ours) == ours


@accepts_book_names
def store(db_path, buf_size=10, *, aug=None):
    """Store it."""
    return db_path, buf_size, aug


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (("a", 5), {}),
        (("a",), {"buf_size": 5}),
        (("a",), {"bufSize": 5}),
        ((), {"dbPath": "a", "buffSize": 5}),
        ((), {"dbPath": "a", "buf_size": 5}),
    ],
)
def test_both_spellings_reach_the_function(arguments, keywords):
    assert store(*arguments, **keywords, aug="x") == ("a", 5, "x")


@pytest.mark.parametrize("twice", [{"buf_size": 1, "bufSize": 2}, {"bufSize": 1, "buffSize": 2}])
def test_one_argument_in_two_spellings_is_one_too_many(twice):
    with pytest.raises(TypeError, match=r"store\(\) got 'buf_size' twice"):
        store("a", **twice)


@pytest.mark.parametrize("unknown", ["colour", "imageColour"])
def test_an_unknown_keyword_stays_unknown(unknown):
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        store("a", **{unknown: 1})


def test_the_function_keeps_its_face():
    assert store.__name__ == "store"
    assert store.__doc__ == "Store it."
    assert list(inspect.signature(store).parameters) == ["db_path", "buf_size", "aug"]
