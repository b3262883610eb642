"""The names of the forecasters; knowing them takes none of their libraries."""

from typing import Literal, get_args

Kind = Literal[
    "random_forest",
    "xgboost",
    "lightgbm",
    "lstm",
    "transformer",
    "multitask",
    "informer",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
