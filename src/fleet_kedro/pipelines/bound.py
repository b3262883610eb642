"""A function with some of its arguments given, as a node can use it anywhere."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class Bound:
    """Call ``function`` with what is given here, and with what the node adds.

    Unlike a ``functools.partial`` it keeps the function's name and types when it is
    sent to a worker process, and Kedro knows nodes and parameters by these.
    """

    __name__: str

    def __init__(self, function: Callable[..., Any], **given: object) -> None:
        self._function = function
        self._given = given
        update_wrapper(self, function)

    def __call__(self, *arguments: object, **named: object) -> Any:
        """Call the function; what was given comes as keywords."""
        return self._function(*arguments, **named, **self._given)
