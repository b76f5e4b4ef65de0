"""The Python in README and docs runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "docs/engine.md"]


def python_blocks(page):
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"(?<!<!-- settings -->\n)```python\n(.*?)```", text, re.DOTALL)
    return [block.replace("epochs=75", "epochs=1") for block in blocks]


@pytest.mark.parametrize("page", PAGES)
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (4, 256, 256, 3), dtype=np.uint8)
    with HDF5DatasetWriter(images.shape, "train.hdf5") as writer:
        writer.add(images, [0, 1, 0, 1])
    blocks = python_blocks(page)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize(
    "page", [*PAGES, "docs/migration.md", "docs/reliability.md", "docs/tutorials.md", "CHANGELOG.md"]
)
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"
