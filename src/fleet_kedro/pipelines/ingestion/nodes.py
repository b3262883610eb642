"""Load, clean, report."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.cleaning import clean_candles, some_sound
from fleet_kedro.market.coverage import coverage
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.gate import GatePolicy, inspect, refuse_dirty
from fleet_kedro.market.quality import quality_report
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select
from fleet_kedro.reports.console import fleet_header, quality_lines
from fleet_kedro.reports.fetching import FetchingBar
from fleet_kedro.reports.figures.coverage import draw_coverage
from fleet_kedro.reports.findings import finding_lines

logger = logging.getLogger(__name__)


def load_market(
    market: MarketSource, universe: Universe, window: Window, gate: GatePolicy
) -> tuple[
    dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame, dict[str, Any], pd.DataFrame
]:
    """Load the market, keep the assets that cover the window, cut them to it.

    Nothing is written before the candles have passed the gate.
    """
    with FetchingBar() as on_progress:
        raw = market.load(universe, window, on_progress)
    selection = select(raw.candles, window)
    for asset, candles in selection.candles.items():
        some_sound(asset, candles)
    findings = inspect(selection.candles, gate)
    refuse_dirty(findings, selection.candles, gate)
    logger.info("\n".join(fleet_header(list(selection.candles), selection.left_out)))
    logger.info("\n".join(finding_lines(findings)))
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
    return selection.candles, raw.dominance, raw.truth, span, findings


def clean_market(raw_candles: CandleLoaders, gaps: GapPolicy) -> CandleLoaders:
    """Sift candles, bridge short gaps, split at long ones; one asset at a time."""
    return {
        asset: partial(_clean, asset, load, gaps) for asset, load in raw_candles.items()
    }


def report_quality(raw_candles: CandleLoaders, candles: CandleLoaders) -> pd.DataFrame:
    """Say, asset by asset, what was found and what was done about it."""
    reports = [
        quality_report({asset: load()}, candles[asset]())
        for asset, load in raw_candles.items()
    ]
    report = pd.concat(reports, ignore_index=True)
    logger.info("\n".join(quality_lines(report)))
    return report


def report_coverage(
    raw_candles: CandleLoaders, gate_findings: pd.DataFrame
) -> tuple[pd.DataFrame, go.Figure]:
    """Count each day's candles, asset by asset, and draw the calendar."""
    table = coverage(raw_candles, gate_findings)
    return table, draw_coverage(table)


def _clean(
    asset: str, load: Callable[[], pd.DataFrame], gaps: GapPolicy
) -> pd.DataFrame:
    return clean_candles({asset: load()}, gaps)
