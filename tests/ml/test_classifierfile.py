import os
import pickle

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.ml.classifierfile import check_name, save


@pytest.fixture
def classifier(rng):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rng.normal(size=(20, 3)), np.arange(20) % 2)


@pytest.mark.parametrize("suffix", [".skops", ".pickle"])
def test_a_fitted_classifier_comes_back(tmp_path, classifier, suffix, rng):
    path = tmp_path / "models" / f"classifier{suffix}"
    save(classifier, path)
    assert os.listdir(path.parent) == [path.name]
    if suffix == ".skops":
        import skops.io

        loaded = skops.io.load(path)
    else:
        loaded = pickle.loads(path.read_bytes())
    features = rng.normal(size=(9, 3))
    np.testing.assert_array_equal(loaded.predict_proba(features), classifier.predict_proba(features))


@pytest.mark.parametrize("name", ["classifier.cpickle", "classifier", "classifier.skops.bak"])
def test_another_suffix_is_refused_before_anything_is_written(tmp_path, name, classifier):
    message = r"--model: must end in \.skops, or in \.pickle for a Python pickle; received"
    with pytest.raises(UserError, match=message):
        check_name(tmp_path / name)
    with pytest.raises(UserError, match=message):
        save(classifier, tmp_path / name)
    assert os.listdir(tmp_path) == []
