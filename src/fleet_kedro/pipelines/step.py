"""A node that bears the name of its function."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import node
from kedro.pipeline.node import Node


def step(
    function: Callable[..., Any], inputs: list[str], outputs: str | list[str]
) -> Node:
    """Make a node named after ``function``: what `kedro run --to-nodes` is given."""
    return node(function, inputs, outputs, name=function.__name__)
