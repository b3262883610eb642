"""Whether a text is one that LightGBM wrote, before LightGBM is asked to read it.

Its reader trusts the text: with a length that does not fit, or a child that is no node
of the tree, it reads past the end of its memory and takes the process down. So what it
trusts is held against each other here, and what it need not read is left out.
"""

import re
from collections.abc import Iterator

_FOREIGN = re.compile(r"[^\n -~]")
_NUMBERS = re.compile(r"(?:-?\d++(?:\.\d++)?(?:e[+-]\d++)?(?: (?=.)|$))++")
_HEAD = "tree\n"
_END = "end of trees\n"
_PER_SPLIT = (
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "internal_value",
    "internal_weight",
    "internal_count",
)
_PER_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
# Bit 0 would be a category; bit 1 is the default side, bits 2 and 3 the missing value.
_NUMERICAL = {0, 2, 4, 6, 8, 10}
_HEAD_KEYS = {
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
    "feature_infos",
    "tree_sizes",
}
_HEAD_OPTIONS = {"average_output", "monotone_constraints"}
_KEYS = {
    "num_leaves",
    "num_cat",
    "is_linear",
    "shrinkage",
    *_PER_SPLIT,
    *_PER_LEAF,
}


def plain_trees(text: str) -> bytes:
    """Keep the trees of what LightGBM wrote; drop importances and settings.

    Raises
    ------
    ValueError
        If the trees are not plain, so that they could not be read again.
    """
    trees, end, _ = text.partition(_END)
    content = f"{trees}{end}".encode("ascii")
    check_trees(content)
    return content


def check_trees(content: bytes) -> None:
    """Refuse what `plain_trees` does not give.

    Trees are plain: one class, numbers only, no categories and no linear leaves.

    Raises
    ------
    ValueError
        Says what does not fit.
    """
    text = content.decode("ascii")
    head, _, trees = text.partition("\n\nTree=0\n")
    if not text.startswith(_HEAD) or not trees or _FOREIGN.search(text):
        raise ValueError("the text does not begin as trees do")
    told = dict(_fields(head.removeprefix(_HEAD)))
    if told.keys() - _HEAD_OPTIONS != _HEAD_KEYS:
        raise ValueError("the head has other lines than that of plain trees")
    n_features = _check_head(told)
    sizes = [int(size) for size in told["tree_sizes"].split(" ")]
    for number, tree in enumerate(_trees(text, len(head) + 2, sizes)):
        _check_tree(tree, number, n_features)


def _check_head(told: dict[str, str]) -> int:
    """Return the number of features that the head speaks of."""
    n_features = int(told["max_feature_idx"]) + 1
    lists = ("feature_names", "feature_infos")
    if any(len(told[key].split(" ")) != n_features for key in lists):
        raise ValueError("the features do not fit their number")
    constraints = told.get("monotone_constraints", "").split()
    if constraints and len(constraints) != n_features:
        raise ValueError("the constraints do not fit the number of features")
    if (told["num_class"], told["num_tree_per_iteration"]) != ("1", "1"):
        raise ValueError("there is more than one class")
    if (told["version"], told["label_index"]) != ("v4", "0"):
        raise ValueError("this is another version of the text")
    return n_features


def _fields(lines: str) -> Iterator[tuple[str, str]]:
    """Read ``key=value`` lines; a key stands once."""
    seen = set()
    for line in lines.split("\n"):
        key, _, value = line.partition("=")
        if key in seen:
            raise ValueError(f"{key} stands twice")
        if line:
            seen.add(key)
            yield key, value


def _trees(text: str, start: int, sizes: list[int]) -> Iterator[str]:
    """Cut the text where the sizes say that trees end."""
    for size in sizes:
        yield text[start : start + size]
        start += size
    if text[start:] != _END:
        raise ValueError("the trees do not end where their sizes say")


def _check_tree(tree: str, number: int, n_features: int) -> None:
    """Hold a tree's lists against its number of leaves, and its links against both."""
    title, _, body = tree.partition("\n")
    told = dict(_fields(body))
    if title != f"Tree={number}" or told.keys() != _KEYS:
        raise ValueError(f"tree {number} has other lines than a plain tree")
    if (told["num_cat"], told["is_linear"]) != ("0", "0"):
        raise ValueError(f"tree {number} has categories or linear leaves")
    n_leaves = int(told["num_leaves"])
    for keys, length in ((_PER_SPLIT, n_leaves - 1), (_PER_LEAF, n_leaves)):
        for key in keys:
            # A tree of one leaf does not weigh it.
            if n_leaves > 1 or (key, told[key]) != ("leaf_weight", ""):
                _check_length(told[key], length, f"{key} of tree {number}")
    _check_length(told["shrinkage"], 1, f"shrinkage of tree {number}")
    if any(not 0 <= feature < n_features for feature in _whole(told["split_feature"])):
        raise ValueError(f"tree {number} splits by a feature that is not there")
    if not _NUMERICAL.issuperset(_whole(told["decision_type"])):
        raise ValueError(f"tree {number} has categories or linear leaves")
    _check_links(_whole(told["left_child"]), _whole(told["right_child"]), number)


def _check_links(left: list[int], right: list[int], number: int) -> None:
    """Let every split lead to later ones or to leaves (−1, −2, …), each met once."""
    n_splits = len(left)
    # All leaves and all splits but the root: so it is one tree, without a circle.
    expected = [*range(-n_splits - 1, 0), *range(1, n_splits)] if n_splits else []
    if sorted(left + right) != expected:
        raise ValueError(f"tree {number} is no tree")
    for split, children in enumerate(zip(left, right, strict=True)):
        if any(0 <= child <= split for child in children):
            raise ValueError(f"tree {number} leads back to an earlier split")


def _check_length(text: str, length: int, what: str) -> None:
    """Refuse a list of another length, or of what LightGBM reads as no number."""
    found = text.count(" ") + 1 if text else 0
    if found != length:
        raise ValueError(f"{what} has {found} numbers instead of {length}")
    if text and not _NUMBERS.fullmatch(text):
        raise ValueError(f"{what} holds what is no number")


def _whole(text: str) -> list[int]:
    return [int(value) for value in text.split(" ")] if text else []
