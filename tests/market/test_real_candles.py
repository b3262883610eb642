"""The real candles that a developer may have at hand."""

import os

import pandas as pd
import pytest

from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.gate import GatePolicy, inspect, refuse_dirty
from fleet_kedro.market.quality import quality_report
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.schema import (
    CleanCandles,
    Dominance,
    QualityReport,
    RawCandles,
)
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

FOLDER = os.environ.get("FLEET_MARKET_DIR", "")
ASSETS = [
    *("ADA", "AVAX", "BNB", "BTC", "DOGE", "ETH"),
    *("LINK", "LTC", "MATIC", "SOL", "XRP"),
]
MATIC = {
    "listings": [
        {"symbol": "MATICUSDT", "until": "2024-09-10T03:00"},
        {"symbol": "POLUSDT", "since": "2024-09-13T10:00"},
    ]
}
UNIVERSE = Universe(assets=ASSETS, lineage={"MATIC": MATIC})

pytestmark = pytest.mark.skipif(not FOLDER, reason="FLEET_MARKET_DIR is not set")


@pytest.fixture(scope="module")
def market() -> RawMarket:
    return CandleFolder(folder=FOLDER).read(UNIVERSE)


def test_all_eleven_assets_load_and_clean_for_two_years(market: RawMarket):
    chosen = select(market.candles, Window(days=730, end="2023-12-31T23:00"))
    panel = clean_candles(chosen.candles, GapPolicy())
    report = quality_report(chosen.candles, panel)

    for raw in chosen.candles.values():
        RawCandles.validate(raw)
    CleanCandles.validate(panel)
    QualityReport.validate(report)
    assert report["asset"].tolist() == ASSETS
    assert chosen.left_out == {}
    # 730 days of 24 hours, of which one, 2023-03-24 13:00, is missing everywhere.
    assert (report["rows"] == 17_519).all()
    assert (report[["gaps", "filled", "segments"]] == 1).all(axis=None)
    dropped = ["duplicates_dropped", "off_grid_dropped", "invalid_dropped"]
    assert (report[dropped] == 0).all(axis=None)
    assert len(panel) == 11 * 17_520


def test_later_listings_are_left_out_of_an_early_window(market: RawMarket):
    chosen = select(market.candles, Window(days=730, end="2021-12-31T23:00"))
    assert sorted(chosen.left_out) == ["AVAX", "SOL"]


def test_a_long_outage_splits_the_asset(market: RawMarket):
    chosen = select(
        {"BTC": market.candles["BTC"]}, Window(days=365, end="2018-12-31T23:00")
    )
    panel = clean_candles(chosen.candles, GapPolicy())
    report = quality_report(chosen.candles, panel).iloc[0]
    # Out for 33 hours from 2018-02-08 on; then for 10, 7 and 7 in June, July, November.
    assert report["longest_gap_hours"] == 33
    assert report["segments"] == 5


def test_dominance_covers_2023_and_its_sources_differ(market: RawMarket):
    Dominance.validate(market.dominance)
    btc = market.candles["BTC"].set_index("timestamp").loc["2023"]
    one, other = (
        join_dominance(btc.index, market.dominance, DominancePolicy(source=source))
        for source in ("coingecko", "tradingview")
    )
    assert one.notna().all(axis=None)
    assert other.notna().all(axis=None)
    difference = (other["btc_dominance_pct"] - one["btc_dominance_pct"]).mean()
    assert 2 < difference < 5


def test_all_candles_pass_the_gate_with_their_gaps_named(market: RawMarket):
    policy = GatePolicy()
    findings = inspect(market.candles, policy)

    refuse_dirty(findings, market.candles, policy)

    assert set(findings["rule"]) == {"outage", "jump", "zero_volume"}
    outages = findings.loc[findings["rule"] == "outage"].set_index("first")["rows"]
    assert outages[pd.Timestamp("2018-02-08 01:00", tz="UTC")] == 33
    assert outages[pd.Timestamp("2021-08-13 02:00", tz="UTC")] == 4
    jumps = findings.loc[findings["rule"] == "jump"]
    crash = pd.Timestamp("2020-03-12 10:00", tz="UTC")
    assert ((jumps["first"] <= crash) & (jumps["last"] >= crash)).any()
