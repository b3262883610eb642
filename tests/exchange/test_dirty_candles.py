"""Dirt of each kind is caught by asset, time and rule; real candles pass the gate."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exchange.fleet_client import FleetClient
from exchange.server.binance import BinanceSpot
from exchange.server.book import COLUMNS, Book, Market
from exchange.server.candles import random_market
from exchange.server.clock import ScaledClock
from exchange.server.exchange import Exchange
from exchange.server.http import LoopbackServer
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.gate import GatePolicy, describe, inspect, refuse_dirty
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

ASSETS = ("BTC", "ETH", "SOL")
HOURS = pd.date_range("2024-02-01", periods=1200, freq="h", tz="UTC").as_unit("us")
AT = 777
WHEN = HOURS[AT]
REAL_FOLDER = os.environ.get("FLEET_MARKET_DIR", "")
REAL_UNIVERSE = Universe(
    assets=(
        *("ADA", "AVAX", "BNB", "BTC", "DOGE", "ETH"),
        *("LINK", "LTC", "MATIC", "SOL", "XRP"),
    )
)

Candles = dict[str, pd.DataFrame]
Spoil = Callable[[Candles], Candles]


@pytest.fixture(scope="module")
def clean() -> Candles:
    """Raw candles that break no rule."""
    rng = np.random.default_rng(12)
    return {
        asset: random_market(f"{asset}USDT", HOURS, rng)
        .to_frame()
        .assign(symbol=f"{asset}USDT")[["timestamp", "symbol", *COLUMNS]]
        .astype({"symbol": "str"})
        for asset in ASSETS
    }


@pytest.fixture(scope="module")
def real() -> Candles:
    """All that there is of the real candles."""
    return CandleFolder(folder=REAL_FOLDER).read(REAL_UNIVERSE).candles


def btc(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    """Spoil the candles of BTC alone."""
    return lambda candles: candles | {"BTC": change(candles["BTC"])}


def everybody(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    """Spoil all candles alike."""
    return lambda candles: {asset: change(own) for asset, own in candles.items()}


def put(column: str, value: float, count: int = 1) -> Callable:
    """Write a value into a stretch of hours."""
    stretch = range(AT, AT + count)

    def change(candles: pd.DataFrame) -> pd.DataFrame:
        spoilt = candles[column].where(~candles.index.isin(stretch), value)
        return candles.assign(**{column: spoilt})

    return change


def repeat(candles: pd.DataFrame) -> pd.DataFrame:
    """Tell one hour twice."""
    return pd.concat([candles.iloc[: AT + 1], candles.iloc[AT:]], ignore_index=True)


def shift(candles: pd.DataFrame) -> pd.DataFrame:
    """Move one stamp off the hour."""
    stamp = candles["timestamp"].where(
        candles.index != AT, candles["timestamp"] + pd.Timedelta("7min")
    )
    return candles.assign(timestamp=stamp)


def leap(candles: pd.DataFrame) -> pd.DataFrame:
    """Move the decimal point of one hour's prices."""
    factor = np.where(candles.index == AT, 10.0, 1.0)
    prices = {name: candles[name] * factor for name in COLUMNS[:4]}
    return candles.assign(**prices)


def swap(candles: pd.DataFrame) -> pd.DataFrame:
    """Let an hour stand before the one that precedes it."""
    order = np.arange(len(candles))
    order[[AT, AT + 1]] = order[[AT + 1, AT]]
    return candles.iloc[order].reset_index(drop=True)


def punch(candles: pd.DataFrame) -> pd.DataFrame:
    """Take ten hours out."""
    return candles.drop(index=range(AT, AT + 10)).reset_index(drop=True)


def mix_up(candles: Candles) -> Candles:
    """Give BTC, for ten hours, the candles of a coin a hundred times cheaper."""
    own, other = candles["BTC"], candles["ETH"]
    prices = COLUMNS[:4]
    cheap = own[prices].copy()
    cheap.iloc[AT : AT + 10] = other[prices].iloc[AT : AT + 10] / 100
    return candles | {"BTC": own.assign(**cheap)}


ONE = re.escape(f"BTC at {WHEN:%Y-%m-%d %H:%M}: ")
LONG = f"from {WHEN:%Y-%m-%d %H:%M} to {HOURS[AT + 9]:%Y-%m-%d %H:%M}: "
SEVEN_PAST = re.escape(f"BTC at {WHEN + pd.Timedelta('7min'):%Y-%m-%d %H:%M}: ")
DIRT: dict[str, tuple[Spoil, str]] = {
    "duplicate": (btc(repeat), ONE + r"duplicate \(1, dropped\)"),
    "off the hour": (btc(shift), SEVEN_PAST + r"off_grid \(1, dropped\)"),
    "negative price": (btc(put("low", -1.0)), ONE + r"non_positive \(1, dropped\)"),
    "zero price": (btc(put("close", 0.0)), ONE + r"non_positive \(1, dropped\)"),
    "missing number": (
        btc(put("open", np.nan)),
        ONE + r"missing_number \(1, dropped\)",
    ),
    "negative volume": (
        btc(put("volume", -3.0)),
        ONE + r"negative_volume \(1, dropped\)",
    ),
    "high below low": (btc(put("high", 1e-6)), ONE + r"high_low \(1, dropped\)"),
    "jump": (btc(leap), f"BTC (at|from) {WHEN:%Y-%m-%d %H:%M}.*: jump"),
    "no trade for ten hours": (
        btc(put("volume", 0.0, 10)),
        f"BTC {LONG}" + r"zero_volume \(10, kept\)",
    ),
    "hole of one asset": (btc(punch), f"BTC {LONG}" + r"gap \(10, missing\)"),
    "hole of all assets": (
        everybody(punch),
        f"all assets {LONG}" + r"outage \(10, missing\)",
    ),
    "unsorted": (btc(swap), ONE + r"order \(1, sorted\)"),
    "candles of another coin": (mix_up, f"BTC (at|from) {WHEN:%Y-%m-%d %H:%M}.*: jump"),
}


class TestDirt:
    def test_clean_candles_break_no_rule(self, clean):
        assert inspect(clean, GatePolicy()).empty

    @pytest.mark.parametrize("kind", sorted(DIRT))
    def test_it_is_named_by_asset_time_and_rule(self, clean, kind):
        spoil, expected = DIRT[kind]
        findings = inspect(spoil(clean), GatePolicy())
        said = [describe(finding) for _, finding in findings.iterrows()]

        assert any(re.fullmatch(f"{expected}.*", sentence) for sentence in said), said
        accused = {s.split(" at ")[0].split(" from ")[0] for s in said}
        assert accused == {"all assets" if "all" in kind else "BTC"}

    def test_a_wrong_column_closes_the_gate(self, clean):
        spoilt = clean | {"BTC": clean["BTC"].astype({"close": "str"})}
        with pytest.raises(MarketError, match=r"BTC breaks the rule schema: .*'close'"):
            inspect(spoilt, GatePolicy())

    def test_too_much_dirt_closes_the_gate(self, clean):
        spoilt = btc(put("close", 0.0, 30))(clean)
        policy = GatePolicy()
        findings = inspect(spoilt, policy)
        message = (
            f"BTC is too dirty .* BTC from {WHEN:%Y-%m-%d %H:%M} to .*non_positive"
        )
        with pytest.raises(MarketError, match=message):
            refuse_dirty(findings, spoilt, policy)
        refuse_dirty(inspect(clean, policy), clean, policy)

    def test_dirt_that_an_exchange_serves_reaches_the_gate(self, clean, tmp_path):
        """The store keeps what was served: it is the gate that judges."""
        spoilt = btc(put("volume", -3.0))(btc(put("low", -1.0))(clean))
        stored = through_an_exchange(spoilt, tmp_path)

        findings = inspect(stored, GatePolicy())
        assert [describe(finding) for _, finding in findings.iterrows()] == [
            f"BTC at {WHEN:%Y-%m-%d %H:%M}: negative_volume (1, dropped)",
            f"BTC at {WHEN:%Y-%m-%d %H:%M}: non_positive (1, dropped)",
        ]


@pytest.mark.skipif(not REAL_FOLDER, reason="FLEET_MARKET_DIR is not set")
class TestRealCandles:
    def test_they_pass_with_their_real_holes(self, real):
        policy = GatePolicy()
        findings = inspect(real, policy)
        refuse_dirty(findings, real, policy)

        assert set(findings["action"]) == {"kept", "missing"}
        said = [describe(finding) for _, finding in findings.iterrows()]
        # What everybody lived through: 33 hours out, a crash, an hour without trades.
        assert (
            "all assets from 2018-02-08 01:00 to 2018-02-09 09:00: outage (33, missing)"
            in said
        )
        assert "all assets at 2023-03-24 13:00: outage (1, missing)" in said
        assert "BTC at 2020-03-12 10:00: jump (1, kept)" in said
        assert "BTC at 2023-03-24 12:00: zero_volume (1, kept)" in said

    def test_they_come_through_an_exchange_unchanged(self, real, tmp_path):
        first, last = (
            pd.Timestamp(day, tz="UTC") for day in ("2023-02-01", "2023-04-30")
        )
        spring = {
            asset: candles.loc[candles["timestamp"].between(first, last)].reset_index(
                drop=True
            )
            for asset, candles in real.items()
        }
        stored = through_an_exchange(spring, tmp_path)

        for asset, candles in spring.items():
            pd.testing.assert_frame_equal(
                stored[asset][COLUMNS], candles[COLUMNS], check_exact=True
            )
        findings = inspect(stored, GatePolicy())
        assert "outage" in set(findings["rule"])
        assert "gap" not in set(findings["rule"])


def through_an_exchange(candles: Candles, folder: Path) -> Candles:
    """Serve candles, update a store from them, and read it."""
    frames = {f"{asset}USDT": own for asset, own in candles.items()}
    book = Book({name: Market.from_frame(name, own) for name, own in frames.items()})
    last = max(own["timestamp"].iloc[-1] for own in candles.values())
    now = last + pd.Timedelta("1h 20min")
    clock = ScaledClock.starting(f"{now:%Y-%m-%dT%H:%M}", speed=20)
    with LoopbackServer(Exchange(BinanceSpot(book), clock)) as server:
        source = ExchangeSource(base_url=server.url, store=folder)
        universe, window = Universe(assets=tuple(candles)), Window(days=100)
        client = FleetClient(universe, window, source, seed=1)
        assert client.update(clock) == ""
    return {
        asset: client.stored(f"{asset}USDT").assign(
            symbol=pd.Series(f"{asset}USDT", index=range(len(own)), dtype="str")
        )
        for asset, own in candles.items()
    }
