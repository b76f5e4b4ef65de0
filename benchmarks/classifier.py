"""How long does the search for C take on the features of 18,750 images, and how much memory?

25,000 drawn feature vectors of length 2,048, most of them 0 as behind a ReLU; the first 75% are searched, the rest is
predicted. Every side is a process of its own: ours, ours out of core, the call of the book's chapter, and the same
call with a StandardScaler before it, which solves our problem. The clock runs from the open file to the best model;
memory is what the side's processes hold at most of their own, pages of the file aside, libraries included.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import h5py
import numpy as np

from . import _data, _measure

_ROWS, _LENGTH, _TRAINED = 25_000, 2048, 18_750
_C_VALUES = [0.0001, 0.001, 0.01, 0.1, 1.0]
_OURS, _OUT_OF_CORE, _CHAPTER, _SCALED = "ours", "ours, out of core", "the chapter's call", "the same, standardised"


def draw_features(path: Path) -> None:
    """Write features of two classes: a few causes behind all of them, noise, and a ReLU."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, _ROWS)
    directions = rng.normal(0, 0.08, (40, _LENGTH)).astype(np.float32)
    centers = rng.normal(0, 0.5, (2, 40)).astype(np.float32)
    with h5py.File(path, "w") as file:
        features = file.create_dataset("features", (_ROWS, _LENGTH), np.float32)
        for start in range(0, _ROWS, 1000):
            part = labels[start : start + 1000]
            causes = centers[part] + rng.normal(size=(len(part), 40)).astype(np.float32)
            noise = rng.normal(-0.1, 0.3, (len(part), _LENGTH)).astype(np.float32)
            features[start : start + 1000] = np.maximum(causes @ directions + noise, 0)
        file["labels"] = labels


def ours(path: Path, in_memory: bool) -> tuple[float, float, float]:
    from pyimagesearch.features.featurefile import FeatureFile
    from pyimagesearch.ml import LinearClassifierCV

    start = time.perf_counter()
    features = FeatureFile(path, in_memory)
    model = LinearClassifierCV(_C_VALUES, jobs=_measure.cpus()).fit(features, np.arange(_TRAINED))
    seconds, rest = time.perf_counter() - start, np.arange(_TRAINED, _ROWS)
    right = [model.predict(features.read(block)).astype(int) == features.labels[block] for block in
             features.blocks(rest)]  # fmt: skip
    return seconds, model.C_, float(np.concatenate(right).mean())


def chapter(path: Path, scaled: bool) -> tuple[float, float, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    with h5py.File(path) as file:
        start = time.perf_counter()
        steps = [("scaler", StandardScaler())] if scaled else []
        pipeline = Pipeline([*steps, ("model", LogisticRegression())])
        search = GridSearchCV(pipeline, {"model__C": _C_VALUES}, cv=3, n_jobs=_measure.cpus())
        search.fit(file["features"][:_TRAINED], file["labels"][:_TRAINED])
        seconds = time.perf_counter() - start
        accuracy = search.score(file["features"][_TRAINED:], file["labels"][_TRAINED:])
    return seconds, search.best_params_["model__C"], float(accuracy)


_SIDES = {
    _OURS: lambda path: ours(path, in_memory=True),
    _OUT_OF_CORE: lambda path: ours(path, in_memory=False),
    _CHAPTER: lambda path: chapter(path, scaled=False),
    _SCALED: lambda path: chapter(path, scaled=True),
}


def run_side(name: str, path: str) -> None:
    """Print what a side measured of itself; runs in the side's process."""
    print(json.dumps(_SIDES[name](Path(path))))


def megabytes(session: int) -> float:
    """Return the memory that the processes of a session hold now, what they share counted once."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon", "Pss_Shmem")))
        except (OSError, IndexError):
            continue  # it has ended
    return total / 1024


def measure(name: str, path: Path) -> tuple[float, float, float, float]:
    """Return seconds, best C, accuracy and the most megabytes of a side in a process of its own."""
    code = "import sys; from benchmarks.classifier import run_side; run_side(*sys.argv[1:])"
    highest = 0.0
    with subprocess.Popen(
        [sys.executable, "-c", code, name, str(path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while process.poll() is None:
            highest = max(highest, megabytes(process.pid))
            time.sleep(0.05)
        output: Any = process.stdout.read() if process.stdout else ""
    seconds, c, accuracy = json.loads(output.splitlines()[-1])
    print(f"  {name}: {seconds:.2f} s, {highest:,.0f} MB, C = {c:g}, {accuracy:.2%} of the rest right", flush=True)
    return seconds, c, accuracy, highest


def main() -> None:
    with _data.setup(__doc__) as where:
        path = where.work / "features.hdf5"
        draw_features(path)
        rounds = [{name: measure(name, path) for name in _SIDES} for _ in range(min(where.rounds, 3))]
        path.unlink()
    speeds = {name: [_TRAINED / measured[name][0] for measured in rounds] for name in _SIDES}
    memory = {name: [measured[name][3] for measured in rounds] for name in _SIDES}
    figures = {name: f"C = {c:g}, {accuracy:.2%} right" for name, (_, c, accuracy, _) in rounds[0].items()}
    for mine, other in ((_OURS, _CHAPTER), (_OURS, _SCALED), (_OUT_OF_CORE, _SCALED)):
        note = f"{mine}: {figures[mine]}; {other}: {figures[other]}"
        _measure.report(f"search for C: {mine}, to {other}", speeds, mine, other, 1, "rows/s", note)
    for name, values in memory.items():
        _measure.report_value(
            "search for C: memory", name, values, "MB", median(memory[_CHAPTER]) if name == _OURS else None
        )


if __name__ == "__main__":
    main()
