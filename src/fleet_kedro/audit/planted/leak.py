"""A known mistake, wired as a step that claims to be innocent."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from fleet_kedro.audit.step import Law, Step, Tabulate
from fleet_kedro.audit.world import World


class Leak(NamedTuple):
    """A step that leaks, what it does wrong, and the check that must find it."""

    step: Step
    mistake: str
    check: str


def leak(name: str, tabulate: Tabulate, law: Law, check: str) -> Leak:
    """Wire a mistake; its function's docstring tells what it is.

    The columns of its table that are audited begin with ``value``.
    """
    mistake = (tabulate.__doc__ or "").partition("\n")[0]
    return Leak(Step(name, name, tabulate, "value.*", law), mistake, check)


def per_asset(
    world: World, compute: Callable[[pd.DataFrame], pd.Series]
) -> pd.DataFrame:
    """Tabulate one value per candle of each asset."""
    return pd.concat(
        [
            own[["timestamp", "asset"]].assign(value=compute(own))
            for own in world.by_asset.values()
        ],
        ignore_index=True,
    )
