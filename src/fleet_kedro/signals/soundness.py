"""Whether what is known of an asset can be acted on, and if not, why, in plain words.

A candle is known at its close, an hour after it opened. One that closes in the future
is not closed yet, or a clock is wrong; either way it must not be used.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int8

from fleet_kedro.market.moment import show
from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.expectation import Absence

_NOTHING: Mapping[str, float] = MappingProxyType({})


class AssetFacts(NamedTuple):
    """What is known of one asset beside the numbers that decide.

    Attributes
    ----------
    candle_open
        Open time (UTC) of its last candle; None without one.
    price
        Close of that candle; NaN without one.
    has_model
        Whether the store has the models that its forecast comes from.
    gate_weights
        By expert of the brain; empty where the brain was not asked.
    top_latents
        Names and values of the inputs of the brain that stand out, largest first.
    remark
        What else is to be told where the asset cannot be judged.
    """

    candle_open: datetime | None
    price: float
    has_model: bool = True
    gate_weights: Mapping[str, float] = _NOTHING
    top_latents: tuple[tuple[str, float], ...] = ()
    remark: str = ""


def data_age_hours(facts: AssetFacts | None, now: datetime) -> float | None:
    """Return the hours since the last candle closed; below zero in the future."""
    if facts is None or facts.candle_open is None:
        return None
    closed = pd.Timestamp(facts.candle_open) + BAR
    return float((pd.Timestamp(now) - closed) / pd.Timedelta(hours=1))


def find_absences(
    facts: Mapping[str, AssetFacts],
    assets: Sequence[str],
    now: datetime,
    settings: SignalSettings,
) -> Int8[np.ndarray, "1 assets"]:
    """Return, as codes of `Absence`, what keeps each asset out; data before models."""
    found = [_absence(facts.get(asset), now, settings) for asset in assets]
    return np.array([found], dtype=np.int8)


def describe(
    absence: Absence,
    asset: str,
    facts: AssetFacts | None,
    now: datetime,
    settings: SignalSettings,
) -> str:
    """Say what is wrong with an asset, with the numbers that show it."""
    age = data_age_hours(facts, now)
    if facts is not None and facts.candle_open is not None and age is not None:
        closed = show(pd.Timestamp(facts.candle_open) + BAR)
        if absence == Absence.STALE_CANDLE:
            return (
                f"The last candle of {asset} closed at {closed}, {age:.1f} hours ago; "
                f"up to {settings.max_data_age_hours:g} are allowed."
            )
        if absence == Absence.CLOCK_AHEAD:
            return (
                f"The last candle of {asset} closes at {closed}, {-60 * age:.0f} "
                f"minutes after {show(now)}: it is not closed yet, or a clock is wrong."
            )
    return {
        Absence.NO_CANDLE: f"There is no candle of {asset} with a price.",
        Absence.NO_MODEL: f"There is no model that forecasts {asset}.",
        Absence.NO_FORECAST: f"The forecast for {asset} is not a number.",
        Absence.NO_THRESHOLD: f"{asset} has no threshold: none is stated or tuned, and "
        f"its volatility over that of {settings.threshold.reference} is unknown.",
    }[absence]


def _absence(
    facts: AssetFacts | None, now: datetime, settings: SignalSettings
) -> Absence:
    age = data_age_hours(facts, now)
    if facts is None or age is None or not 0 < facts.price < np.inf:
        return Absence.NO_CANDLE
    if age < -settings.clock_tolerance_minutes / 60:
        return Absence.CLOCK_AHEAD
    if age > settings.max_data_age_hours:
        return Absence.STALE_CANDLE
    return Absence.NONE if facts.has_model else Absence.NO_MODEL
