"""Load, clean, report."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.quality import quality_report
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select
from fleet_kedro.reports.console import fleet_header, quality_lines

logger = logging.getLogger(__name__)

Partitions = Mapping[str, Callable[[], pd.DataFrame]]


def load_market(
    market: MarketSource, universe: Universe, window: Window
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Load the market, keep the assets that cover the window, cut them to it."""
    raw = market.load(universe, window)
    selection = select(raw.candles, window)
    logger.info("\n".join(fleet_header(list(selection.candles), selection.left_out)))
    span = {
        "start": selection.start.isoformat(),
        "end": selection.end.isoformat(),
        "symbols": {
            asset: str(candles["symbol"].iloc[-1])
            for asset, candles in sorted(selection.candles.items())
        },
        "left_out": selection.left_out,
        "source": market.source.description,
    }
    return selection.candles, raw.dominance, raw.truth, span


def clean_market(raw_candles: Partitions, gaps: GapPolicy) -> pd.DataFrame:
    """Sift candles, bridge short gaps, split at long ones."""
    return clean_candles({asset: load() for asset, load in raw_candles.items()}, gaps)


def report_quality(raw_candles: Partitions, candles: pd.DataFrame) -> pd.DataFrame:
    """Say, asset by asset, what was found and what was done about it."""
    report = quality_report(
        {asset: load() for asset, load in raw_candles.items()}, candles
    )
    logger.info("\n".join(quality_lines(report)))
    return report
