from pathlib import Path

import pytest

from tests.breaks import MUTATIONS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_the_line_that_is_to_be_broken_is_there(mutation):
    found = (ROOT / mutation.file).read_text("utf-8").count(mutation.old)
    assert found == 1
    assert all((ROOT / test).exists() for test in mutation.tests)
