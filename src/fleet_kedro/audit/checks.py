"""The checks: which change is made to a world, and which rows must not notice it.

A check is a few trials. A trial makes two worlds that differ in one thing and says, for
a step with a given law, which rows of both must agree; None where the law is silent.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from fleet_kedro.audit import changes
from fleet_kedro.audit.pairing import Demand, Rows
from fleet_kedro.audit.step import FADING, Law
from fleet_kedro.audit.world import World
from fleet_kedro.market.schema import BAR

TRUNCATE = "future cut off"
PERTURB = "other future"
WARM_UP = "other warm-up"
ORDER = "assets swapped"
BORDER = "border moved"
CHECKS = (TRUNCATE, PERTURB, WARM_UP, ORDER, BORDER)


class Worlds(NamedTuple):
    """Two worlds to compare, and what was done to get from one to the other."""

    base: World
    other: World


class Gap(NamedTuple):
    """A world in which one asset is away from ``start`` until before ``end``."""

    world: World
    asset: str
    start: pd.Timestamp
    end: pd.Timestamp


class Trial(ABC):
    """One change, at one moment."""

    check: str
    """The check that it belongs to."""

    @abstractmethod
    def worlds(self, world: World) -> Worlds:
        """Make the two worlds that differ in one thing."""

    @abstractmethod
    def demand(self, law: Law, rows: Rows) -> Demand | None:
        """Say which rows of both worlds must agree."""


class Truncation(Trial):
    """The future is cut off: every row that was known by then stays as it is."""

    check = TRUNCATE

    def __init__(self, moment: pd.Timestamp) -> None:
        self._moment = moment

    def worlds(self, world: World) -> Worlds:
        """Compare with the world as known when the moment's candle opened."""
        return Worlds(world, changes.without_future(world, self._moment))

    def demand(self, law: Law, rows: Rows) -> Demand:
        """Rows before the moment, less those whose label reaches past it."""
        late = max(law.reach_bars, law.listed_late_bars)
        return Demand(
            agree=_before(rows, self._moment - late * BAR),
            unknown=~_before(rows, self._moment - law.reach_bars * BAR)
            if law.reach_bars
            else None,
        )


class Perturbation(Trial):
    """Another future: no row notices that was known by then.

    A label that reaches ahead must notice from exactly its reach on.
    """

    check = PERTURB

    def __init__(self, moment: pd.Timestamp, seed: int) -> None:
        self._moment = moment
        self._seed = seed

    def worlds(self, world: World) -> Worlds:
        """Compare with a world that goes another way from the moment on."""
        rng = np.random.default_rng(self._seed)
        return Worlds(world, changes.with_other_future(world, self._moment, rng))

    def demand(self, law: Law, rows: Rows) -> Demand:
        """Rows before the moment, less the reach."""
        past = _before(rows, self._moment - law.reach_bars * BAR)
        reaches = ~past & _before(rows, self._moment) if law.reach_bars else None
        return Demand(agree=past, changed=reaches)


class OtherInputs(Trial):
    """Candles change at all times, but for the columns that the step says it reads."""

    check = PERTURB

    def __init__(self, read: tuple[str, ...], seed: int) -> None:
        self._read = read
        self._seed = seed

    def worlds(self, world: World) -> Worlds:
        """Compare with a world whose other columns are different everywhere."""
        rng = np.random.default_rng(self._seed)
        return Worlds(world, changes.with_other_inputs(world, self._read, rng))

    def demand(self, law: Law, rows: Rows) -> Demand | None:
        """Every row of a step that reads these columns only."""
        return Demand(agree=_all(rows)) if law.reads == self._read else None


class LaterStart(Trial):
    """Older candles are gone: rows beyond the declared memory do not miss them."""

    check = WARM_UP

    def __init__(self, moment: pd.Timestamp) -> None:
        self._moment = moment

    def worlds(self, world: World) -> Worlds:
        """Compare with a world that begins at the moment."""
        return Worlds(world, changes.with_later_start(world, self._moment))

    def demand(self, law: Law, rows: Rows) -> Demand | None:
        """Rows whose memory ends at the moment or later."""
        if law.memory_bars is None:
            return None
        beyond = (rows.timestamp - self._moment) / BAR - law.memory_bars
        age = np.asarray(beyond, dtype=np.float64)
        tolerance = np.full(age.shape, law.warm_up_tolerance)
        if law.fade_bars:
            tolerance += FADING * np.exp(-np.maximum(age, 0.0) / law.fade_bars)
        return Demand(agree=age >= 0.0, tolerance=tolerance)


class OtherOldRows(Trial):
    """Rows before the window change: what is learnt in the window does not care."""

    check = WARM_UP

    def __init__(self, moment: pd.Timestamp, seed: int) -> None:
        self._moment = moment
        self._seed = seed

    def worlds(self, world: World) -> Worlds:
        """Compare with a world whose features were different before the moment."""
        rng = np.random.default_rng(self._seed)
        return Worlds(world, changes.with_other_old_rows(world, self._moment, rng))

    def demand(self, law: Law, rows: Rows) -> Demand | None:
        """Every row of what is fitted."""
        return Demand(agree=_all(rows)) if law.is_fitted else None


class AssetOrder(Trial):
    """The assets come in another order: nothing changes, not in the last bit."""

    check = ORDER

    def worlds(self, world: World) -> Worlds:
        """Compare with a world whose assets are reversed."""
        return Worlds(world, changes.with_reversed_assets(world))

    def demand(self, law: Law, rows: Rows) -> Demand:
        """Every row of every step."""
        del law
        return Demand(agree=_all(rows))


class SegmentBorder(Trial):
    """A gap opens in one asset: no row before it changes, nor any of other assets.

    What sees other assets' candles may of course miss them later.
    """

    check = BORDER

    def __init__(self, gap: Gap) -> None:
        self._gap = gap

    def worlds(self, world: World) -> Worlds:
        """Compare with the world in which the asset is away for some hours."""
        return Worlds(world, self._gap.world)

    def demand(self, law: Law, rows: Rows) -> Demand:
        """Rows before the gap; of the asset itself less those whose label spans it."""
        is_own = np.asarray(rows.asset == self._gap.asset)
        late = max(law.reach_bars, law.listed_late_bars)
        past = _before(rows, self._gap.start)
        known = _before(rows, self._gap.start - late * BAR)
        reach = ~_before(rows, self._gap.start - law.reach_bars * BAR)
        unlabelled = past & is_own & reach
        return Demand(
            agree=known | (past & ~is_own) | (~is_own & law.own_only),
            unknown=unlabelled if law.reach_bars else None,
        )


class Restart(Trial):
    """Behind a gap, an asset's rows are as if it had not been there before."""

    check = BORDER

    def __init__(self, gap: Gap) -> None:
        self._gap = gap

    def worlds(self, world: World) -> Worlds:
        """Compare a world with a gap and one in which the asset begins behind it."""
        alone = changes.without_past(world, self._gap.asset, self._gap.end)
        return Worlds(self._gap.world, alone)

    def demand(self, law: Law, rows: Rows) -> Demand | None:
        """Rows of the asset behind the gap."""
        if not law.restarts:
            return None
        behind = ~_before(rows, self._gap.end)
        return Demand(agree=behind & np.asarray(rows.asset == self._gap.asset))


def _before(rows: Rows, moment: pd.Timestamp) -> Bool[np.ndarray, " rows"]:
    return np.asarray(rows.timestamp < moment)


def _all(rows: Rows) -> Bool[np.ndarray, " rows"]:
    return np.ones(len(rows.asset), dtype=bool)
