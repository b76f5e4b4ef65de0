import json
import os
import threading

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.utils.atomic import check_output, open_alone, partial_path, publish, replacing, write_json


def test_the_unfinished_name_lies_beside_the_final_one(tmp_path):
    assert partial_path(tmp_path / "train.hdf5") == tmp_path / "train.hdf5.partial"


class TestCheckOutput:
    def test_a_new_name_is_fine_and_nothing_is_made(self, tmp_path):
        path = tmp_path / "a" / "b" / "train.hdf5"
        assert check_output(str(path)) == path
        assert os.listdir(tmp_path) == []

    def test_an_existing_file_is_fine_only_when_asked_for(self, tmp_path):
        path = tmp_path / "train.hdf5"
        path.write_text("old")
        assert check_output(path, overwrite=True) == path
        with pytest.raises(UserError, match=r"^model: .*train\.hdf5 exists; .*pass overwrite=True"):
            check_output(path, argument="model")
        assert path.read_text() == "old"

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(UserError, match="output: must be a file's name; received the folder"):
            check_output(tmp_path, overwrite=True)


class TestOpenAlone:
    def test_the_folder_is_made(self, tmp_path):
        path = tmp_path / "a" / "b" / "train.hdf5"
        with open_alone(partial_path(path), path) as file:
            file.write(b"rows")
        assert os.listdir(path.parent) == ["train.hdf5.partial"]

    def test_what_is_there_is_kept(self, tmp_path):
        (tmp_path / "a.partial").write_bytes(b"rows")
        with open_alone(tmp_path / "a.partial", tmp_path / "a") as file:
            assert file.read() == b"rows"

    def test_a_second_one_is_refused_until_the_first_has_closed(self, tmp_path):
        refused = pytest.raises(UserError, match=r"output_path: another process is writing .*a right now; wait for it")
        with open_alone(tmp_path / "a.partial", tmp_path / "a"), refused:
            open_alone(tmp_path / "a.partial", tmp_path / "a")
        open_alone(tmp_path / "a.partial", tmp_path / "a").close()

    def test_one_that_is_just_being_let_go_is_waited_for(self, tmp_path):
        held = open_alone(tmp_path / "a.partial", tmp_path / "a")
        threading.Timer(0.1, held.close).start()
        open_alone(tmp_path / "a.partial", tmp_path / "a").close()

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        path = tmp_path / "file" / "sub" / "train.hdf5"
        with pytest.raises(UserError, match=r"output_path: .*train\.hdf5 cannot be written \(.*\); choose a place"):
            open_alone(partial_path(path), path)


def test_publishing_replaces_the_old_file(tmp_path):
    (tmp_path / "a.partial").write_text("new")
    (tmp_path / "a").write_text("old")
    publish(tmp_path / "a.partial", tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "new"


class TestReplacing:
    def test_the_file_appears_when_the_block_ends(self, tmp_path):
        path = tmp_path / "folder" / "curves.png"
        with replacing(path) as temporary:
            assert temporary.suffix == ".png"
            temporary.write_text("new")
            assert not path.exists()
        assert os.listdir(path.parent) == ["curves.png"]
        assert path.read_text() == "new"

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_an_exception_keeps_the_old_file(self, tmp_path, error):
        path = tmp_path / "curves.png"
        path.write_text("old")

        def interrupted():
            with replacing(path) as temporary:
                temporary.write_text("half")
                raise error

        with pytest.raises(error):
            interrupted()
        assert os.listdir(tmp_path) == ["curves.png"]
        assert path.read_text() == "old"


def test_json_is_readable(tmp_path):
    content = {"R": 1.25, "names": ["Kätzchen"]}
    write_json(tmp_path / "mean.json", content)
    text = (tmp_path / "mean.json").read_text("utf-8")
    assert json.loads(text) == content
    assert "Kätzchen" in text
    assert text.endswith("}\n")
    assert "\n  " in text
