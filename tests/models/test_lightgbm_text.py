"""Damaged trees are refused before LightGBM reads them and takes the process down."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.models.formats import lightgbm_from_bytes, lightgbm_to_bytes
from fleet_kedro.models.lightgbm_text import check_trees

X = np.random.default_rng(3).normal(size=(300, 4))
Y = X[:, 0] + 0.1 * X[:, 1]
PLAIN = {"verbose": -1, "num_leaves": 7, "num_threads": 1}
KINDS = {
    "boosted": {},
    "forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    "quantile": {"objective": "quantile", "alpha": 0.3},
    "one leaf": {"min_data_in_leaf": 200},
    "monotone": {"monotone_constraints": [1, 0, 0, 0]},
}


def trained(**settings: object) -> lgb.Booster:
    return lgb.train(PLAIN | settings, lgb.Dataset(X, Y), num_boost_round=4)


CONTENT = lightgbm_to_bytes(trained())


class TestPlainTrees:
    @pytest.mark.parametrize("kind", KINDS)
    def test_they_forecast_what_the_trained_ones_did(self, kind):
        booster = trained(**KINDS[kind])
        content = lightgbm_to_bytes(booster)
        read = lightgbm_from_bytes(content)
        gapped = np.where(X > 1, np.nan, X)
        np.testing.assert_array_equal(read.predict(gapped), booster.predict(gapped))
        assert lightgbm_to_bytes(read) == content

    def test_the_number_of_threads_leaves_no_trace(self):
        assert lightgbm_to_bytes(trained(num_threads=2)) == CONTENT

    def test_trees_that_are_not_plain_are_not_written(self):
        with pytest.raises(ValueError, match=r"linear leaves|other lines"):
            lightgbm_to_bytes(trained(linear_tree=True))


class TestDamage:
    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            (b"version=v4", b"version=v3", "another version"),
            (b"num_class=1", b"num_class=2", "more than one class"),
            (b"max_feature_idx=3", b"max_feature_idx=2", "features do not fit"),
            (b"num_leaves=7", b"num_leaves=8", "split_feature of tree 0 has 6"),
            (b"left_child=1", b"left_child=9", "is no tree"),
            (b"is_linear=0", b"is_linear=1", "linear leaves"),
            (b"decision_type=2", b"decision_type=3", "categories"),
            (b"split_feature=0", b"split_feature=4", "not there"),
            (b"Tree=1", b"Tree=2", "other lines"),
            (b"shrinkage=1", b"shrinkage=x", "no number"),
            (b"end of trees", b"end of time", "do not end"),
            (b"num_leaves=7\n", b"num_leaves=7\nnum_leaves=7\n", "stands twice"),
        ],
    )
    def test_what_does_not_fit_is_told(self, old, new, told):
        assert old in CONTENT
        changed = CONTENT.replace(old, new, 1)
        # Keep the first length right, so that the part itself is what does not fit.
        if len(new) > len(old):
            size = CONTENT.split(b"tree_sizes=")[1].split(b" ")[0]
            longer = b"%d" % (int(size) + len(new) - len(old))
            changed = changed.replace(b"tree_sizes=" + size, b"tree_sizes=" + longer)
        with pytest.raises(ValueError, match=told):
            check_trees(changed)

    def test_a_circle_of_splits_is_refused(self):
        tree = CONTENT.decode()
        left = tree.split("left_child=")[1].split("\n")[0]
        right = tree.split("right_child=")[1].split("\n")[0]
        swapped = tree.replace(
            f"left_child={left}\nright_child={right}",
            f"left_child={left[::-1]}\nright_child={right}",
        )
        with pytest.raises(ValueError, match=r"no tree|earlier split|no number|fit"):
            check_trees(swapped.encode())

    @given(data=st.data())
    @settings(deadline=None, max_examples=300)
    def test_damage_is_refused_or_harmless(self, data):
        start = data.draw(st.integers(0, len(CONTENT)))
        end = data.draw(st.integers(start, min(len(CONTENT), start + 60)))
        put = data.draw(st.binary(max_size=6))
        changed = CONTENT[:start] + put + CONTENT[end:]
        try:
            forecast = lightgbm_from_bytes(changed).predict(X)
        except ValueError:  # anything else, a crash above all, fails
            return
        assert forecast.shape == Y.shape

    @given(cut=st.integers(0, len(CONTENT) - 1))
    def test_a_cut_text_is_refused(self, cut):
        with pytest.raises(ValueError, match="no LightGBM model"):
            lightgbm_from_bytes(CONTENT[:cut])

    @given(garbage=st.binary(max_size=200))
    def test_garbage_is_refused(self, garbage):
        with pytest.raises(ValueError, match="no LightGBM model"):
            lightgbm_from_bytes(garbage)
