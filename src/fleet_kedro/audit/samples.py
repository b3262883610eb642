"""Worlds to audit, made of a market: a window, a gap of one asset and a short one."""

from collections.abc import Mapping

import pandas as pd

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.audit.world import World
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

WARMUP_DAYS = 30
"""Older candles that come along: the longest windows are daily, over three weeks."""

FEWEST_DAYS = 45
"""With less, the training spans are too short to refine anything."""

FEWEST_ASSETS = 2

_LONG_GAP_HOURS = 40
_SHORT_GAP_HOURS = 3
_DAY = pd.Timedelta(days=1)


def synthetic_world(settings: AuditSettings, days: int = 60, seed: int = 11) -> World:
    """Make a world of three assets of the synthetic market."""
    market = SyntheticMarket(
        seed=seed,
        edge=0.1,
        horizon_bars=settings.features.label.horizon_bars,
        round_trip_cost=settings.features.label.round_trip_cost,
    )
    window = Window(days=days, warmup_days=WARMUP_DAYS)
    universe = Universe(assets=("BTC", "ETH", "SOL"))
    return world_of(market.generate(universe, window), window, settings)


def world_of(raw: RawMarket, window: Window, settings: AuditSettings) -> World:
    """Cut a market to a window and make two gaps in it.

    The last but one asset is away for some hours of the last fold, and for a shorter
    while, which is bridged, before that.

    Raises
    ------
    MarketError
        If the window is too short, or fewer than two assets cover it.
    """
    _refuse_short(window)
    selected = select(raw.candles, window)
    if len(selected.candles) < FEWEST_ASSETS:
        raise MarketError(
            f"Only {', '.join(selected.candles)} covers the window; an audit needs "
            f"{FEWEST_ASSETS} assets. Name others, or choose fewer days."
        )
    last = settings.walk_forward.split(selected.start, selected.end)[-1]
    long_gap = last.validation_start + 6 * _DAY
    short_gap = last.validation_start - 6 * _DAY
    candles = dict(selected.candles)
    gapped = sorted(candles)[-2]
    candles[gapped] = _without_hours(
        candles[gapped], {long_gap: _LONG_GAP_HOURS, short_gap: _SHORT_GAP_HOURS}
    )
    return World(
        candles=clean_candles(candles, settings.gaps),
        dominance=raw.dominance,
        start=selected.start,
        end=selected.end,
        gap_moment=long_gap + (_LONG_GAP_HOURS // 2 + 1) * BAR,
        settings=settings,
    )


def _refuse_short(window: Window) -> None:
    if window.days < FEWEST_DAYS:
        raise MarketError(
            f"{window.days} days are too short for an audit; choose days >= "
            f"{FEWEST_DAYS}."
        )


def _without_hours(
    candles: pd.DataFrame, gaps: Mapping[pd.Timestamp, int]
) -> pd.DataFrame:
    """Take some hours out."""
    kept = candles
    for start, hours in gaps.items():
        inside = kept["timestamp"].between(start, start + (hours - 1) * BAR)
        kept = kept.loc[~inside]
    return kept.reset_index(drop=True)
