"""The feature table of one asset: signals, physics, energy inputs and label.

Everything is computed segment by segment, so nothing spans a gap, and nothing but the
label looks ahead. Only one asset is in memory at a time.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.features.bars import Bars, segment_bars
from fleet_kedro.features.catalogue import Profile, Signal, catalogue
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.fractional import FractionalDifference, fractional_difference
from fleet_kedro.features.physics import (
    ElasticFeatures,
    Physics,
    PhysicsFeatures,
    elastic_features,
    physics_features,
)
from fleet_kedro.labels.forward_return import Label, forward_return

KEYS = ["timestamp", "asset", "segment", "is_filled"]
PHYSICS = list(PhysicsFeatures._fields)
DERIVED = [
    *PHYSICS,
    "log_price_fracdiff",
    *ElasticFeatures._fields,
    "energy_volume",
    "energy_move",
]
LABEL = "forward_return"


class FeatureSettings(Config):
    """What the feature table holds, and over which windows."""

    profile: Profile = Field(description="full, or lean for smoke runs.")
    physics: Physics = Physics()
    fractional: FractionalDifference = FractionalDifference()
    label: Label = Label()


def feature_columns(profile: Profile) -> list[str]:
    """All columns of a feature table, in order."""
    return [*KEYS, *(signal.name for signal in catalogue(profile)), *DERIVED, LABEL]


def asset_features(
    candles: pd.DataFrame,
    context: MarketContext,
    fractional_order: float,
    settings: FeatureSettings,
) -> pd.DataFrame:
    """Compute the feature table of one asset, oldest bar first.

    Parameters
    ----------
    candles
        Clean candles of one asset, all segments, in time order.
    context
        What the whole market did, built from a panel that holds these candles.
    fractional_order
        Order of ``log_price_fracdiff``, chosen on calibration bars only.

    Returns
    -------
    pandas.DataFrame
        Columns as ``feature_columns``: signals and derived numbers in float32, known
        at the close of their bar, NaN until their windows are full; ``energy_volume``
        in base currency and ``energy_move`` as absolute log return; ``forward_return``
        in float64, known ``label.last_known_offset_bars`` later.
    """
    signals = catalogue(settings.profile)
    names = [*(signal.name for signal in signals), *DERIVED]
    block = np.empty((len(candles), len(names)), dtype=np.float32)
    label = np.empty(len(candles))
    start = 0
    for _, bars in segment_bars(candles, context):
        rows = slice(start, start + len(bars))
        block[rows, : len(signals)] = signal_block(bars, signals)
        block[rows, len(signals) :] = _derived(bars, fractional_order, settings)
        label[rows] = forward_return(
            bars.open, bars.is_filled, settings.label.horizon_bars
        )
        start = rows.stop
    table = pd.DataFrame(block, columns=names, copy=False)
    keys = candles[KEYS].reset_index(drop=True)
    return pd.concat([keys, table, pd.Series(label, name=LABEL)], axis=1)


def signal_block(
    bars: Bars, signals: tuple[Signal, ...]
) -> Float[np.ndarray, "bars signals"]:
    """Return the signals of one segment side by side, in float32."""
    block = np.empty((len(bars), len(signals)), dtype=np.float32)
    for column, signal in enumerate(signals):
        block[:, column] = signal.compute(bars)
    return block


def _derived(
    bars: Bars, fractional_order: float, settings: FeatureSettings
) -> Float[np.ndarray, "bars derived"]:
    """Physics, fractional difference, elastic and energy inputs of one segment."""
    log_price = np.log(bars.close)
    columns = [
        *physics_features(log_price, bars.log_return, settings.physics),
        fractional_difference(log_price, fractional_order, settings.fractional),
        *elastic_features(log_price, settings.label.horizon_bars, settings.physics),
        bars.volume,
        np.abs(bars.log_return),
    ]
    return np.column_stack(columns)
