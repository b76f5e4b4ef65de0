"""Output of scripts, for people and for machines."""

import json
from pathlib import Path

from pyimagesearch.cli.messages import info, table
from pyimagesearch.errors import UserError
from tests.cli.foxscript import make, raising


class TestOptions:
    @staticmethod
    def work():
        info("working")
        table(("accuracy", "images"), ("0.5", "8"))
        return {"accuracy": float("nan"), "files": [Path("a")]}

    def test_all_is_printed(self, place, capsys):
        make(self.work)([])
        assert capsys.readouterr() == ("[INFO] working\n\naccuracy  images\n0.5            8\n", "")

    def test_quiet_leaves_the_table(self, place, capsys):
        make(self.work)(["--quiet"])
        assert capsys.readouterr() == ("\naccuracy  images\n0.5            8\n", "")
        make(self.work)([])
        assert "[INFO]" in capsys.readouterr().out

    def test_json_is_all_of_stdout(self, place, capsys):
        make(self.work)(["--json"])
        out, err = capsys.readouterr()
        assert json.loads(out) == {"accuracy": None, "files": ["a"]}
        assert err == "[INFO] working\n\naccuracy  images\n0.5            8\n"
        make(self.work)(["--json", "--quiet"])
        assert capsys.readouterr() == (out, "")

    def test_a_failure_leaves_stdout_empty(self, place, capsys):
        main = make(raising(UserError("no")))
        for option in ("--quiet", "--json"):
            assert main.run([option]) == 2
            out, err = capsys.readouterr()
            assert (out, err.endswith("error: no\n"), err.count("\n")) == ("", True, 1)

    def test_they_hold_for_the_scripts_that_a_script_calls(self, place, capsys):
        inner = make(self.work)

        def work():
            inner([])
            table(("all",))
            return {"all": 1}

        make(work)(["--quiet"])
        assert capsys.readouterr() == ("\nall\n", "")
        make(work)(["--json"])
        assert json.loads(capsys.readouterr().out) == {"all": 1}

    def test_progress_is_hushed(self, place, capsys):
        from pyimagesearch.utils.progress import progress

        make(lambda: {"n": len(list(progress(range(3), 3, "Counting")))})(["--quiet", "--json"])
        out, err = capsys.readouterr()
        assert (json.loads(out), err) == ({"n": 3}, "")
