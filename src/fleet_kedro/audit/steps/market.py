"""Steps of the market chapter: the clean panel, and dominance as known."""

import pandas as pd

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.world import World
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DOMINANCE_COLUMNS
from fleet_kedro.market.schema import CANDLE

MARKET = "(market)"
"""Stands for the asset where a number belongs to none."""


def market_steps(settings: AuditSettings) -> list[Step]:
    """Return the steps before any feature."""
    return [
        Step(
            "cleaning",
            "cleaning",
            clean_panel,
            "open|high|low|close|volume",
            Law(
                memory_bars=settings.gaps.max_filled_hours + 1,
                own_only=True,
                restarts=True,
            ),
        ),
        Step(
            "dominance join",
            "dominance join",
            dominance_as_known,
            "|".join(DOMINANCE_COLUMNS.values()),
            Law(memory_bars=0, own_only=True),
        ),
    ]


def clean_panel(world: World) -> pd.DataFrame:
    """Clean the candles that were really there, anew.

    Candles that bridge a gap are left out: that a gap is short enough for a bridge is
    learnt at its end only, and no row of a bridge is learnt from or forecast.
    """
    raw = {
        asset: own.loc[~own["is_filled"], ["timestamp", "symbol", *CANDLE]]
        for asset, own in world.by_asset.items()
    }
    panel = clean_candles(raw, world.settings.gaps)
    return panel.loc[~panel["is_filled"], ["timestamp", "asset", *CANDLE]]


def dominance_as_known(world: World) -> pd.DataFrame:
    """Join the shares to the hours."""
    shares = world.shares.rename_axis("timestamp").reset_index()
    return shares.assign(asset=MARKET)
