"""Mistakes about when something becomes known: labels, shares, orders, forecasts."""

import numpy as np
import pandas as pd

from fleet_kedro.audit.checks import PERTURB, TRUNCATE
from fleet_kedro.audit.planted.leak import Leak, leak, per_asset
from fleet_kedro.audit.settings import LABEL
from fleet_kedro.audit.step import Law
from fleet_kedro.audit.world import World
from fleet_kedro.features.fractional import fractional_difference
from fleet_kedro.features.order import fractional_orders
from fleet_kedro.market.schema import BAR

# The relative error that such a forecast is published with.
_NOISE = 0.0045


def timing_leaks() -> list[Leak]:
    """Return the mistakes about what is known when."""
    own = Law(own_only=True)
    label = Law(reach_bars=LABEL.last_known_offset_bars, own_only=True)
    return [
        leak("label shifted by one", label_shifted_by_one, label, TRUNCATE),
        leak("dominance joined by its own date", dominance_by_date, own, TRUNCATE),
        leak("future-calibrated d", future_calibrated_order, own, PERTURB),
        leak("prediction = next price + noise", next_price_plus_noise, own, PERTURB),
    ]


def label_shifted_by_one(world: World) -> pd.DataFrame:
    """Enter at the open of the very bar whose close is the signal."""

    def too_early(own: pd.DataFrame) -> pd.Series:
        exit_ = own.groupby("segment")["open"].shift(-LABEL.horizon_bars)
        return exit_ / own["open"] - 1.0

    return per_asset(world, too_early)


def dominance_by_date(world: World) -> pd.DataFrame:
    """Give every hour of a day the share that is published after that day."""
    daily = world.dominance.pivot_table(
        index="timestamp", columns="series", values="dominance_pct"
    )
    keys = world.candles[["timestamp", "asset"]]
    shares = daily.add_prefix("value_").reindex(keys["timestamp"].dt.floor("D"))
    return pd.concat([keys, shares.set_index(keys.index)], axis="columns")


def future_calibrated_order(world: World) -> pd.DataFrame:
    """Choose the order of the fractional difference on the whole history."""
    config = world.settings.features.fractional
    forever = world.candles["timestamp"].max() + BAR
    order = fractional_orders(world.candles, forever, config)

    def differenced(own: pd.DataFrame) -> pd.Series:
        asset = str(own["asset"].iloc[0])
        log_price = np.log(own["close"]).groupby(own["segment"])
        return log_price.transform(
            lambda part: fractional_difference(part.to_numpy(), order[asset], config)
        )

    return per_asset(world, differenced)


def next_price_plus_noise(world: World) -> pd.DataFrame:
    """Forecast the next close as what it will be, with a little noise."""

    def oracle(own: pd.DataFrame) -> pd.Series:
        noise = np.random.default_rng(0).normal(0.0, _NOISE, len(own))
        return own["close"].shift(-1) * (1.0 + noise)

    return per_asset(world, oracle)
