"""Whether bytes are trees that XGBoost wrote, before XGBoost is asked to read them.

Its reader trusts what it reads: a child that is no node of the tree, or a feature that
no row has, leads out of its memory and takes the process down. So what it trusts is
held against each other here. Trees are plain: one target, numbers only, squared error.
"""

import re
from typing import Any

import numpy as np

from fleet_kedro.models.ubjson import read_ubjson

_MAJOR = 3
_NO_PARENT = 2**31 - 1
_WHOLE = re.compile(r"\d{1,9}")
_BASE = re.compile(r"\[-?\d(\.\d+)?(E-?\d+)?\]")
_FLOATS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_LINKS = ("left_children", "right_children", "parents")
_CODES = ("default_left", "split_indices", "split_type")
_CATEGORIES = (
    "categories",
    "categories_nodes",
    "categories_segments",
    "categories_sizes",
)
_TREE = {*_FLOATS, *_LINKS, *_CODES, *_CATEGORIES, "id", "tree_param"}
_LEARNER = {
    "attributes",
    "feature_names",
    "feature_types",
    "gradient_booster",
    "learner_model_param",
    "objective",
}


def check_xgboost(content: bytes) -> None:
    """Refuse what is not the UBJSON of plain trees.

    Raises
    ------
    ValueError
        Says what does not fit.
    """
    told = _members(read_ubjson(content), {"learner", "version"}, "the file")
    version = told["version"]
    if not isinstance(version, list) or version[:1] != [_MAJOR]:
        raise ValueError("this is another version of the format")
    learner = _members(told["learner"], _LEARNER, "the learner")
    n_features = _check_learner(learner)
    for number, tree in enumerate(_trees(learner["gradient_booster"])):
        try:
            _check_tree(tree, number, n_features)
        except ValueError as error:
            raise ValueError(f"in tree {number}, {error}") from error


def _check_learner(learner: dict[str, Any]) -> int:
    """Return the number of features that the learner speaks of."""
    attributes = learner["attributes"]
    if not isinstance(attributes, dict) or not all(
        isinstance(value, str) for value in attributes.values()
    ):
        raise ValueError("the attributes are no texts")
    _require_empty(learner, ("feature_names", "feature_types"))
    if learner["objective"] != {
        "name": "reg:squarederror",
        "reg_loss_param": {"scale_pos_weight": "1"},
    }:
        raise ValueError("the objective is not squared error")
    keys = {
        "base_score",
        "boost_from_average",
        "num_class",
        "num_feature",
        "num_target",
    }
    model = _members(learner["learner_model_param"], keys, "the model's numbers")
    if (model["num_class"], model["num_target"]) != ("0", "1"):
        raise ValueError("there is more than one target")
    base = model["base_score"]
    if not isinstance(base, str) or not _BASE.fullmatch(base):
        raise ValueError("the base is no number")
    if model["boost_from_average"] not in {"0", "1"}:
        raise ValueError("the base is not told plainly")
    return _whole(model["num_feature"])


def _trees(booster: object) -> list[Any]:
    """Return the trees of a booster whose counts fit their number."""
    told = _members(booster, {"model", "name"}, "the booster")
    keys = {"cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees"}
    model = _members(told["model"], keys, "the model")
    categories = _members(
        model["cats"], {"enc", "feature_segments", "sorted_idx"}, "the categories"
    )
    _require_empty(categories, tuple(categories))
    trees = model["trees"]
    if told["name"] != "gbtree" or not isinstance(trees, list):
        raise ValueError("these are no boosted trees")
    counts = {"num_parallel_tree": "1", "num_trees": str(len(trees))}
    if (
        model["gbtree_model_param"] != counts
        or list(model["iteration_indptr"]) != list(range(len(trees) + 1))
        or list(model["tree_info"]) != [0] * len(trees)
    ):
        raise ValueError(f"the counts do not fit {len(trees)} trees")
    return trees


def _check_tree(tree: object, number: int, n_features: int) -> None:
    told = _members(tree, _TREE, "the tree")
    keys = {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"}
    sizes = _members(told["tree_param"], keys, "its sizes")
    _require_empty(told, _CATEGORIES)
    n_nodes = _whole(sizes["num_nodes"])
    expected = {
        "num_deleted": "0",
        "num_feature": str(n_features),
        "num_nodes": str(n_nodes),
        "size_leaf_vector": "1",
    }
    if sizes != expected or told["id"] != number:
        raise ValueError("the sizes are not those of a plain tree")
    for key in (*_FLOATS, *_LINKS, *_CODES):
        kind = "f" if key in _FLOATS else "iu"
        values = told[key]
        if (
            not isinstance(values, np.ndarray)
            or values.dtype.kind not in kind
            or len(values) != n_nodes
            or not np.isfinite(values).all()
        ):
            raise ValueError(f"{key} does not hold a number for each of its nodes")
    if n_nodes == 0 or told["default_left"].max() > 1 or told["split_type"].any():
        raise ValueError("a node is no split by a number")
    if told["split_indices"].min() < 0 or told["split_indices"].max() >= n_features:
        raise ValueError("a node splits by a feature that is not there")
    _check_links(told["left_children"], told["right_children"], told["parents"])


def _check_links(left: np.ndarray, right: np.ndarray, parents: np.ndarray) -> None:
    """Let every split lead to two later nodes, and every node but the root to one."""
    splits = np.flatnonzero(left != -1)
    children = np.concatenate([left[splits], right[splits]])
    is_tree = (
        np.array_equal(left == -1, right == -1)
        # All nodes but the root, each met once, and later than the split: no circle.
        and np.array_equal(np.sort(children), np.arange(1, len(left)))
        and (children > np.tile(splits, 2)).all()
    )
    if not is_tree:
        raise ValueError("the links are not those of a tree")
    if parents[0] != _NO_PARENT or (parents[children] != np.tile(splits, 2)).any():
        raise ValueError("a node names another parent")


def _members(value: object, keys: set[str], name: str) -> dict[str, Any]:
    """Return a dictionary that holds ``keys`` and no others."""
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"{name} has other members than plain trees have")
    return value


def _require_empty(told: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if not isinstance(told[key], list | np.ndarray) or len(told[key]):
            raise ValueError(f"{key} is not empty")


def _whole(text: object) -> int:
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)
