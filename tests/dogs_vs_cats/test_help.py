"""Every script explains itself, without waiting for TensorFlow."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = {
    "build_dogs_vs_cats": ["-d", "--dataset", "-o", "--output", "-s", "--buffer-size", "-j", "--jobs", "--force"],
    "train_alexnet": [
        "-m", "--model", "-b", "--batch-size", "-j", "--jobs", "--epochs", "--resume", "--force",
        "--class-weight", "--tensorboard", "--quiet", "--json",
    ],
    "crop_accuracy": ["-d", "--dataset", "-m", "--model", "-b", "--batch-size", "-j", "--jobs", "--force"],
    "extract_features": [
        "-d", "--dataset", "-o", "--output", "-m", "--model", "-b", "--batch-size", "-s", "--buffer-size",
        "-j", "--jobs", "--weights", "--layer", "--alpha", "--flip", "--precision", "--resume", "--force",
    ],
    "explore": ["-o", "--output", "--classes", "-j", "--jobs", "--force"],
    "fine_tune": [
        "-m", "--model", "-w", "--weights", "-a", "--alpha", "--size", "--layer", "--head", "--dropout",
        "--batch-norm", "--warm-up", "-e", "--epochs", "--freeze", "--learning-rate", "--fine-tune-rate",
        "--class-weight", "-p", "--patience", "-b", "--batch-size", "-j", "--jobs", "-o", "--output", "--resume",
        "--force",
    ],
    "predict": [
        "-m", "--model", "--weights", "--alpha", "-k", "--top", "--crops", "-b", "--batch-size", "-j", "--jobs", "-f",
        "--format", "-o", "--output", "--sheet", "--on-error", "--trust-pickle", "--force",
    ],
    "train_model": [
        "-d", "--dataset", "--db", "-m", "--model", "-c", "--classifier", "--folds", "--calibrate", "--clip",
        "--class-weight", "--out-of-core", "-j", "--jobs", "--force",
    ],
    "demo": ["--images", "--epochs"],
    "report": ["-o", "--output", "--no-heatmaps"],
    "draw_sample": ["-o", "--output", "--images", "-j", "--jobs", "--seed", "--force"],
}  # fmt: skip


def run_python(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


@pytest.mark.parametrize("script", FLAGS)
def test_help_names_the_flags_and_imports_no_tensorflow(script):
    done = run_python("-X", "importtime", "-m", f"dogs_vs_cats.{script}", "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    words = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", done.stdout))
    assert set(FLAGS[script]) <= words
    assert done.stdout.startswith(f"usage: python -m dogs_vs_cats.{script} [-h]")
    assert "(default: None)" not in done.stdout
    assert "(default: )" not in done.stdout
    assert script == "draw_sample" or "--config" in words
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "pyimagesearch.cli.script" in imported
    heavy = {"tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib", "h5py"}
    assert not {name.partition(".")[0] for name in imported} & heavy


@pytest.mark.parametrize("script", FLAGS)
def test_help_of_a_script_run_as_a_file_from_any_folder(script, tmp_path):
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = run_python(str(ROOT / "dogs_vs_cats" / f"{script}.py"), "--help", cwd=tmp_path, env=outside)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: python {ROOT / 'dogs_vs_cats' / script}.py")
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_a_letter_means_the_same_in_every_script():
    meanings = {}
    for script in FLAGS:
        for option in importlib.import_module(f"dogs_vs_cats.{script}").main.options:
            for letter in (flag for flag in option.flags if re.fullmatch("-[a-z]", flag)):
                assert meanings.setdefault(letter, option.flag) == option.flag, f"{letter} of {script}"
    assert (meanings["-o"], meanings["-m"]) == ("--output", "--model")
