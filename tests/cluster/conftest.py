"""Clusters that the tests share."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
if find_spec("distributed") is None:  # Dask is an extra
    collect_ignore_glob = ["test_*.py"]

from farm import Farm

from pyimagesearch.cluster import open_cluster


@pytest.fixture(scope="module")
def local():
    """Two worker processes."""
    with open_cluster("local:2") as cluster:
        yield cluster


@pytest.fixture
def farm(tmp_path):
    farm = Farm(tmp_path)
    yield farm
    farm.stop()
