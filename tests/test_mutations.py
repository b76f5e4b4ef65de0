import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def breaks():
    spec = importlib.util.spec_from_file_location("mutations", HERE / "mutations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MUTATIONS


@pytest.mark.parametrize("mutation", breaks(), ids=lambda mutation: mutation.what)
def test_the_line_that_is_to_be_broken_is_there(mutation):
    found = (HERE.parent / mutation.file).read_text("utf-8").count(mutation.old)
    assert found == 1
    assert all((HERE.parent / test).exists() for test in mutation.tests)
