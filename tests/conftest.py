"""A small synthetic fleet with its features, made once for all tests that walk it."""

from collections.abc import Callable

import pandas as pd
import pytest

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.physics import Physics
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

SMALL_FEATURES = FeatureSettings(
    profile="lean",
    physics=Physics(
        hurst_bars=64,
        entropy_bars=64,
        fdi_bars=64,
        theta_bars=64,
        acf_bars=64,
        warning_bars=128,
    ),
    fractional=FractionalDifference(weight_cutoff=1e-3, max_window_bars=120),
)


class SmallFleet:
    """Clean candles of a small synthetic market, and features made from them."""

    def __init__(self, candles: pd.DataFrame, dominance: pd.DataFrame) -> None:
        self.candles = candles
        self.dominance = dominance

    def before(self, moment: pd.Timestamp) -> "SmallFleet":
        """Return the fleet as it was known before a candle opened at ``moment``."""
        past = self.candles["timestamp"] < moment
        return SmallFleet(self.candles.loc[past].reset_index(drop=True), self.dominance)

    def features(self) -> dict[str, Callable[[], pd.DataFrame]]:
        """Build every asset's features."""
        hours = pd.DatetimeIndex(self.candles["timestamp"].unique())
        context = MarketContext.from_panel(
            self.candles, join_dominance(hours, self.dominance, DominancePolicy())
        )
        tables = {
            str(asset): asset_features(own, context, 0.4, SMALL_FEATURES)
            for asset, own in self.candles.groupby("asset")
        }
        return {asset: table.copy for asset, table in tables.items()}


@pytest.fixture(scope="session")
def make_fleet() -> Callable[..., SmallFleet]:
    """Return a function that makes a market of a few assets with a planted edge."""

    def make(edge: float, seed: int = 11, days: int = 90) -> SmallFleet:
        window = Window(days=days, warmup_days=15)
        market = SyntheticMarket(
            seed=seed, edge=edge, horizon_bars=12, round_trip_cost=0.002
        )
        raw = market.generate(Universe(assets=("BTC", "ETH", "SOL")), window)
        candles = clean_candles(select(raw.candles, window).candles, GapPolicy())
        return SmallFleet(candles, raw.dominance)

    return make


@pytest.fixture(scope="session")
def planted_fleet(make_fleet: Callable[..., SmallFleet]) -> SmallFleet:
    """Ninety days of three assets with a strong planted edge."""
    return make_fleet(edge=0.25)
