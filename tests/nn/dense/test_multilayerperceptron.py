import re

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.dense import MultilayerPerceptron


@pytest.mark.parametrize(("options", "units"), [({}, [784, 784, 10]), ({"hidden": [5]}, [5, 10])])
def test_the_hidden_layers_are_those_asked_for(options, units):
    _, *dense = MultilayerPerceptron.build(28, 28, 1, 10, **options).layers
    assert [layer.units for layer in dense] == units
    assert [layer.activation.__name__ for layer in dense] == ["relu"] * (len(units) - 1) + ["softmax"]


@pytest.mark.parametrize("hidden", [(), (8, 0)])
def test_hidden_layers_must_have_units(hidden):
    message = re.escape(f"hidden: must name the units of at least one layer, each at least 1; received {hidden}")
    with pytest.raises(UserError, match=message):
        MultilayerPerceptron.build(28, 28, 1, 10, hidden)
