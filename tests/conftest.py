"""What several chapters test with: a small fleet, a brain that knows it, a browser."""

import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.physics import Physics
from fleet_kedro.labels.forward_return import Label, is_positive
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.fleet_rows import expert_inputs, gather_rows
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.splits.walk_forward import Fold

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

    settings = SMALL_FEATURES

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


FEW_TREES = TrendSettings(n_trees=30)
BRAIN_SETTINGS = BrainSettings(
    label=Label(horizon_bars=12, round_trip_cost=0.002),
    refiner=RefinerSettings(
        n_latents=8, max_cluster_size=64, variance_kept=0.95, link_block_days=5
    ),
    experts=ExpertsSettings(
        trend=FEW_TREES,
        surface=FEW_TREES,
        pattern=PatternSettings(training=TrainingSettings(epochs=1)),
    ),
    use_asset_embedding="one_hot",
    use_energy=True,
    mask_chaos=True,
    gate_penalty=1e-2,
    gate_balance=5e-4,
    surface_signals=("momentum_3", "rsi_13", "wick_imbalance_1"),
    pattern_bars=64,
    seed=3,
)

Features = dict[str, Callable[[], pd.DataFrame]]


@pytest.fixture(scope="session")
def fleet_features(planted_fleet: SmallFleet) -> Features:
    return planted_fleet.features()


@pytest.fixture(scope="session")
def trained_brain(fleet_features: Features) -> TrainedBrain:
    """The real mixture, which has learnt from all but the last ten days."""
    times = fleet_features["BTC"]()["timestamp"]
    end = times.iloc[-1] - 240 * BAR
    window = Fold(1, times.iloc[0], end, end, end)
    signals = catalogue("lean")
    rows = gather_rows(
        fleet_features,
        signals,
        [window],
        BRAIN_SETTINGS,
        extra=BRAIN_SETTINGS.surface_signals,
    )
    known = rows.table["forward_return"].notna() & (rows.table["timestamp"] < end)
    train = np.flatnonzero(known)
    table = rows.table.iloc[train]
    mixture = BRAIN_SETTINGS.unfitted(n_assets=3).fit(
        expert_inputs(table, rows.latents[0][train], BRAIN_SETTINGS),
        is_positive(table["forward_return"].to_numpy(), BRAIN_SETTINGS.label),
        asset=table["asset"].to_numpy(),
    )
    names = tuple(signal.name for signal in signals)
    thresholds = {"BTC": 0.9, "ETH": 1 / 3}
    return TrainedBrain(BRAIN_SETTINGS, names, rows.refiners[0], mixture, thresholds)


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIETLY = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Start a headless Chromium of this machine, as playwright's ``Browser``."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(f"No Chromium is on this machine: none of {', '.join(CHROMIUM)}.")
    # Imported here, as most tests need no browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=QUIETLY)
        yield started
        started.close()
