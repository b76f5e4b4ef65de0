"""A script: its options and its config, and its record, however it ends."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyimagesearch.cli import Option, options, script
from pyimagesearch.errors import UserError
from pyimagesearch.runs.record import read_runs
from tests.cli.foxscript import lines, make, raising

ROOT = Path(__file__).resolve().parents[2]


def raising_with_folder(error):
    return lambda folder: raising(error)()


def test_a_run_leaves_a_start_and_an_end(place):
    (place / "in.txt").write_text("in")

    def work():
        assert [line["event"] for line in lines(place)] == ["start"]
        Path("output/out.txt").write_text("out")
        return {"accuracy": 0.5, "inputs": ["in.txt", "output"], "files": [Path("output/out.txt")]}

    make(work)(["--config", "fox_config"])
    start, end = lines(place)
    assert start.keys() == {
        "schema", "event", "run", "time", "script", "step", "command", "folder", "config", "seed", "versions",
        "hardware",
    }  # fmt: skip
    assert re.fullmatch("[0-9a-f]{16}", start["run"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", start["time"])
    assert start["script"] == "foxscript"
    assert start["command"] == ["python", "-m", "foxscript", "--config", "fox_config"]
    assert start["folder"] == str(place)
    assert start["step"] == "train"
    assert start["config"]["module"] == "fox_config"
    settings = start["config"]["settings"]
    assert {name: settings[name] for name in ("SEED", "SIZE", "TRAIN_HDF5", "PRECISION")} == {
        "SEED": 7, "SIZE": [3, 4], "TRAIN_HDF5": "output/train.hdf5", "PRECISION": "auto",
    }  # fmt: skip
    assert not {"_HIDDEN", "lower"} & settings.keys()
    assert start["seed"] == 7
    assert start["versions"]["python"] == sys.version.split()[0]
    assert {"pyimagesearch", "numpy", "opencv", "h5py", "scikit-learn", "keras"} <= start["versions"].keys()
    assert start["hardware"].keys() == {"system", "processor", "processors", "memory_bytes"}
    assert end.keys() == {
        "schema", "event", "run", "time", "seconds", "status", "error", "backend", "devices", "inputs", "outputs",
        "results",
    }  # fmt: skip
    assert (end["run"], end["status"], end["error"]) == (start["run"], "done", None)
    assert [(each["path"], each["bytes"]) for each in end["inputs"]] == [("in.txt", 2), ("output", None)]
    assert end["outputs"][0].keys() == {"path", "bytes", "identity"}
    assert end["results"] == {"accuracy": 0.5}


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (UserError("size: must be odd"), "failed", "SIZE: must be odd"),
        (ZeroDivisionError("by zero"), "failed", "ZeroDivisionError: by zero"),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (KeyboardInterrupt(), "stopped", None),
    ],
)
def test_a_run_that_fails_says_so_and_raises(place, error, status, words):
    with pytest.raises(type(error)):
        make(raising(error))([])
    (run,) = read_runs("output")
    assert (run.status, run.error) == (status, words)


@pytest.mark.parametrize("arguments", [["--colour"], ["--help"], ["--config", "no_such_config"]])
def test_what_never_began_leaves_nothing(place, arguments):
    with pytest.raises((SystemExit, UserError)):
        make()(arguments)
    assert not list((place / "output").iterdir())


@pytest.mark.parametrize("new_folder", [True, False])
def test_only_success_makes_a_folder_and_only_where_it_may(place, new_folder):
    (place / "output").rmdir()
    with pytest.raises(UserError):
        make(raising(UserError("no")), new_folder=new_folder)([])
    assert not (place / "output").exists()
    make(new_folder=new_folder)([])
    assert (place / "output/runs.jsonl").exists() == new_folder
    assert not new_folder or [run.status for run in read_runs("output")] == ["done"]


@pytest.mark.parametrize("left", [[], ["train.hdf5.partial"]])
def test_a_failure_is_told_of_in_a_new_folder_only_if_it_left_something_there(place, left):
    (place / "output").rmdir()

    def work():
        Path("output").mkdir()
        for name in left:
            Path("output", name).touch()
        raise UserError("no")

    with pytest.raises(UserError):
        make(work)([])
    assert sorted(os.listdir("output")) == sorted([*left, *(["runs.jsonl"] if left else [])])


def test_a_folder_that_is_gone_is_not_made_again_for_a_failure(place):
    def work():
        Path("output/runs.jsonl").unlink()
        Path("output").rmdir()
        raise UserError("no")

    with pytest.raises(UserError):
        make(work)([])
    assert not (place / "output").exists()


def test_a_record_that_is_gone_begins_again_with_both_lines(place):
    make(lambda: Path("output/runs.jsonl").unlink())([])
    assert [line["event"] for line in lines(place)] == ["start", "end"]


def test_a_record_that_cannot_be_written_hinders_nothing(place, capsys):
    (place / "output/runs.jsonl").mkdir()
    assert make(lambda: {"accuracy": 1})([]) == {"accuracy": 1}
    err = capsys.readouterr().err
    assert re.fullmatch(r"\[INFO\] this run is not recorded in \S+runs\.jsonl: Is a directory\n", err)
    make()(["--quiet"])
    with pytest.raises(UserError):
        make(raising(UserError("no")))([])
    assert capsys.readouterr().err == ""


def test_a_full_disk_hinders_nothing_and_spoils_no_other_run(place):
    record = place / "output/runs.jsonl"
    make()([])
    size = record.stat().st_size
    program = textwrap.dedent(f"""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 100}, {size + 100}))
        from pyimagesearch.cli import script
        @script("train", config="fox_config")
        def main(args, config):
            return {{}}
        main()
    """)
    (place / "script.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(place)))}
    done = subprocess.run([sys.executable, "script.py"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\[INFO\] this run is not recorded in .*\n", done.stderr)
    make()([])
    runs = read_runs("output")
    assert [run.status for run in runs] == ["done", "done"]
    assert runs.unreadable == 1


def test_scripts_that_call_scripts_leave_one_record_each(place):
    inner, failing = make(lambda: {"inner": True}), make(raising(UserError("no")))

    def work():
        inner(["--config", "fox_config"])
        with pytest.raises(UserError):
            failing([])
        return {"inner": False}

    make(work)([])
    runs = read_runs("output")
    assert [run.status for run in runs] == ["done", "done", "failed"]
    assert [run.results for run in runs] == [{"inner": False}, {"inner": True}, {}]


def test_a_script_without_settings_is_recorded_where_its_caller_is(place):
    @script("draw", [Option("--seed", default=3)], config=None, new_folder=False, folder="elsewhere")
    def plain(args):
        return {"plain": True}

    plain([])
    assert not (place / "elsewhere").exists()
    (place / "elsewhere").mkdir()
    plain([])
    make(lambda: plain([]) and {})([])
    assert [run.results for run in read_runs("elsewhere")] == [{"plain": True}]
    run = read_runs("output")[1]
    assert (run.results, run.config, run.seed) == ({"plain": True}, None, 3)


def test_settings_without_an_output_folder_are_no_reason_to_fail(place):
    (place / "fox_config.py").write_text("SEED = 1\n")
    assert make(lambda: {"x": 1})([]) == {"x": 1}
    assert not list((place / "output").iterdir())


def test_the_config_gives_what_the_options_leave_open(place):
    found = []
    count = Option("--count", type=int, config="SEED")

    @script("train", [count, options.FORCE], config="fox_config")
    def main(args, config):
        found.append((args.count, args.force, config.SEED))
        if args.count > 8:
            raise UserError("count: must be small; pass overwrite=True")
        return {}

    main([])
    main(["--count", "0", "--force"])
    assert found == [(7, False, 7), (0, True, 7)]
    with pytest.raises(UserError, match=r"^--count: must be small; pass --force$"):
        main(["--count", "9"])
    assert read_runs("output")[-1].error == "--count: must be small; pass --force"
    (place / "fox_config.py").write_text("SIZE = 1\n")
    sys.modules.pop("fox_config")
    with pytest.raises(UserError, match="SEED: must be set in fox_config"):
        main([])


def test_a_mistake_is_an_exit_code_and_one_line(place, capsys):
    main = make(raising(UserError("size: must be odd")))
    assert main.run([]) == 2
    assert capsys.readouterr().err == f"python -m {main.name}: error: SIZE: must be odd\n"


class TestThen:
    def test_it_reads_the_record_and_its_files_are_named(self, place, capsys):
        def then(folder):
            assert [run.status for run in read_runs(folder)] == ["done"]
            (folder / "CARD.md").write_text("card")
            return [folder / "CARD.md"]

        make(then=then)([])
        assert capsys.readouterr().out == f"[INFO] wrote {place}/output/CARD.md (4 bytes)\n"

    def test_it_is_not_called_after_a_failure_or_without_a_record(self, place):
        called = []
        with pytest.raises(UserError):
            make(raising(UserError("no")), then=called.append)([])
        (place / "output/runs.jsonl").unlink()
        (place / "output/runs.jsonl").mkdir()
        make(then=called.append)([])
        assert called == []

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (UserError("no card"), "no card"),
            (OSError(28, "No space left on device"), r"OSError: \[Errno 28\] No space left on device"),
            (KeyError("accuracy"), "KeyError: 'accuracy'"),
            (RuntimeError("two\nlines"), "RuntimeError: two lines"),
        ],
    )
    def test_its_failure_is_not_the_run_s(self, place, capsys, error, words):
        assert make(lambda: {"x": 1}, then=raising_with_folder(error))([]) == {"x": 1}
        assert re.fullmatch(rf"\[INFO\] not written after the run: {words}\n", capsys.readouterr().out)
        assert [run.status for run in read_runs("output")] == ["done"]
