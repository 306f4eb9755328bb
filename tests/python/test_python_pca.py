"""PCA: scikit-learn's own checks, its values, and the same bits for batches in any order."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
import sklearn.decomposition
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import tomobasis

RNG = np.random.default_rng(23)
FLOATS = RNG.standard_normal((200, 6)) * [9, 7, 5, 3, 2, 1] + 4
INTEGERS = np.rint(FLOATS * 100).astype(np.int16)


@pytest.mark.parametrize(
    "check", [check for _, check in estimator_checks_generator(tomobasis.PCA())], ids=lambda c: c.func.__name__
)
def test_an_estimator_of_scikit_learn(check):
    check(tomobasis.PCA())


@pytest.mark.parametrize("x", [FLOATS, INTEGERS], ids=["floats", "integers"])
@pytest.mark.parametrize("n_components", [None, 3, 0.9])
def test_the_values_are_those_of_scikit_learn(x, n_components):
    ours = tomobasis.PCA(n_components).fit(x)
    theirs = sklearn.decomposition.PCA(n_components, svd_solver="full").fit(x.astype(float))
    assert ours.n_components_ == theirs.n_components_
    for name in ("mean_", "singular_values_", "explained_variance_", "explained_variance_ratio_"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-10)
    assert np.allclose(np.abs(ours.components_), np.abs(theirs.components_), atol=1e-10)
    assert np.allclose(np.abs(ours.transform(x)), np.abs(theirs.transform(x)), atol=1e-8)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in ours.components_)


@pytest.mark.parametrize("x", [FLOATS, INTEGERS], ids=["floats", "integers"])
def test_batches_give_the_same_bits_in_any_order(x):
    whole = tomobasis.PCA().fit(x)
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        batched = tomobasis.PCA()
        for batch in order:
            batched.partial_fit(np.array_split(x, 4)[batch])
        for name in ("mean_", "components_", "singular_values_", "explained_variance_ratio_"):
            assert getattr(batched, name).tobytes() == getattr(whole, name).tobytes()
    again = pickle.loads(pickle.dumps(whole)).partial_fit(x)
    assert again.n_samples_seen_ == 2 * len(x)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_means_of_floats_are_removed_exactly(kind):
    x = (FLOATS + 1e4).astype(kind)
    whole, exact = tomobasis.PCA().fit(x), tomobasis.svd(x, center="columns")
    assert whole.components_.tobytes() == exact.Vt.tobytes()
    assert whole.singular_values_.tolist() == exact.s.tolist()
    means = [float(sum(map(Fraction, column)) / len(x)) for column in x.T.tolist()]
    assert whole.mean_.tolist() == means
    # Of equal samples nothing is left, whatever they are.
    assert tomobasis.PCA().fit(np.tile(x[:1], (9, 1))).n_components_ == 0


def test_batches_of_any_scale_and_of_integers_after_floats_are_added():
    batches = [FLOATS * 1e-3, FLOATS[:50] * 1e8, np.zeros((3, 6)), INTEGERS[:7], FLOATS[:1].astype(np.float32)]
    whole = tomobasis.PCA().fit(np.concatenate(batches))
    batched = tomobasis.PCA()
    for i in (1, 3, 0, 4, 2):
        batched.partial_fit(batches[i])
    for name in ("mean_", "components_", "singular_values_"):
        assert getattr(batched, name).tobytes() == getattr(whole, name).tobytes()
    before = pickle.dumps(batched)
    with pytest.raises(tomobasis.InputError, match=r"column 2: .*160"):
        batched.partial_fit(np.where(np.arange(6) == 1, 1e-60, FLOATS[:5]))
    assert pickle.dumps(batched) == before


def test_a_pipeline_takes_it():
    steps = make_pipeline(StandardScaler(), tomobasis.PCA(2))
    assert steps.fit_transform(FLOATS).shape == (200, 2)
    assert list(steps.get_feature_names_out()) == ["pca0", "pca1"]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="more than 6"):
        tomobasis.PCA(7).fit(FLOATS)
    with pytest.raises(ValueError, match="n_components"):
        tomobasis.PCA(0).fit(FLOATS)
    with pytest.raises(tomobasis.InputError, match="batches before"):
        tomobasis.PCA().fit(INTEGERS).partial_fit(FLOATS)
    hidden = np.ma.masked_array(INTEGERS, INTEGERS > 0)
    fitted = tomobasis.PCA(2).fit(INTEGERS)
    for call in (tomobasis.PCA().fit, tomobasis.PCA().partial_fit, tomobasis.PCA().fit_transform, fitted.transform):
        for x in (hidden, list(hidden)):
            with pytest.raises(tomobasis.InputError, match="masked"):
                call(x)
    with pytest.raises(tomobasis.InputError, match=r"beyond 2\^53"):
        tomobasis.PCA(2).fit(np.array([[2**60 + 1, 0], [2**60 + 3, 1], [2**60 + 2, 5]]))


@pytest.mark.parametrize("x", [FLOATS[:6], INTEGERS[:6]], ids=["floats", "integers"])
def test_a_batch_that_ends_in_an_exception_is_not_added(x):
    pca = tomobasis.PCA(4)
    with pytest.raises(ValueError, match="more than 2"):
        pca.partial_fit(x[:2])
    pca.partial_fit(x)
    with pytest.raises(ValueError, match="n_components"):
        pca.set_params(n_components=x.shape[1] + 1).partial_fit(x)
    assert pca.n_samples_seen_ == 6
    assert pca.set_params(n_components=4).partial_fit(x).n_samples_seen_ == 12
