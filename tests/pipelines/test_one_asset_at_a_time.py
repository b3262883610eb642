"""The nodes read an asset when its turn comes, and never hold two of them."""

import gc
import weakref
from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from fleet_kedro.features.build import FeatureSettings
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.physics import Physics
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.market.dominance import DominancePolicy
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select
from fleet_kedro.pipelines.feature_engineering.nodes import (
    build_features,
    choose_recipe,
    gather_context,
)
from fleet_kedro.pipelines.ingestion.nodes import clean_market, report_quality
from fleet_kedro.splits.walk_forward import WalkForward

ASSETS = ["BTC", "ETH", "SOL"]
DAYS = 40
FEATURES = FeatureSettings(
    profile="lean",
    physics=Physics(
        hurst_bars=48,
        entropy_bars=48,
        fdi_bars=48,
        theta_bars=40,
        acf_bars=40,
        warning_bars=60,
    ),
    fractional=FractionalDifference(max_window_bars=50, min_adf_bars=250),
)
WALK = WalkForward(
    folds=1, warmup_folds=1, horizon_bars=12, embargo_bars=24, mode="expanding"
)


class Shelf:
    """Frames that remember when they were read, and which of them are still held."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self.read: list[str] = []
        self.most_held = 0
        self._loaded: list[weakref.ref[pd.DataFrame]] = []
        self.loaders = {
            asset: self._loader(asset, frame) for asset, frame in frames.items()
        }

    def _loader(self, asset: str, frame: pd.DataFrame) -> Callable[[], pd.DataFrame]:
        def load() -> pd.DataFrame:
            gc.collect()
            loaded = frame.copy()
            self.read.append(asset)
            self._loaded.append(weakref.ref(loaded))
            held = [frame for frame in self._loaded if frame() is not None]
            self.most_held = max(self.most_held, len(held))
            return loaded

        return load


@pytest.fixture(scope="module")
def market():
    window = Window(days=DAYS, warmup_days=2)
    source = SyntheticMarket(
        seed=3, edge=0.1, horizon_bars=12, round_trip_cost=0.002, outages_per_year=20.0
    )
    raw = source.generate(Universe(assets=tuple(ASSETS)), window)
    return raw, select(raw.candles, window)


@pytest.fixture(scope="module")
def span(market) -> dict[str, str]:
    _, selection = market
    return {"start": selection.start.isoformat(), "end": selection.end.isoformat()}


@pytest.fixture
def raw(market) -> Shelf:
    return Shelf(market[1].candles)


@pytest.fixture
def clean(market) -> Shelf:
    cleaned = clean_market(Shelf(market[1].candles).loaders, GapPolicy())
    return Shelf({asset: make() for asset, make in cleaned.items()})


class TestIngestion:
    def test_an_asset_is_cleaned_when_it_is_saved(self, raw):
        cleaned = clean_market(raw.loaders, GapPolicy())

        assert sorted(cleaned) == ASSETS
        assert raw.read == []
        for asset, make in sorted(cleaned.items()):
            assert set(make()["asset"]) == {asset}
        assert raw.read == ASSETS
        assert raw.most_held == 1

    def test_the_quality_report_has_a_row_an_asset(self, raw, clean):
        report = report_quality(raw.loaders, clean.loaders)

        assert report["asset"].tolist() == raw.read == clean.read == ASSETS
        assert report.index.tolist() == [0, 1, 2]
        assert (report["rows"] > 0).all()


class TestFeatures:
    def test_the_context_reads_every_asset_once(self, market, clean):
        context = gather_context(
            clean.loaders, market[0].dominance, DominancePolicy(source=None)
        )

        assert list(context.assets) == clean.read == ASSETS
        assert clean.most_held == 1

    def test_orders_are_found_one_after_the_other(self, clean, span):
        recipe = choose_recipe(clean.loaders, span, WALK, FEATURES)

        assert list(recipe["orders"]) == clean.read == ASSETS
        assert FeatureRecipe.read(recipe).settings == FEATURES
        assert clean.most_held == 1

    def test_features_are_built_when_they_are_saved(self, market, clean, span):
        context = gather_context(
            clean.loaders, market[0].dominance, DominancePolicy(source=None)
        )
        clean.read.clear()
        recipe = FeatureRecipe(settings=FEATURES, orders=dict.fromkeys(ASSETS, 0.4))
        tables = build_features(clean.loaders, context, recipe.to_json(), span)

        assert clean.read == []
        for asset, make in sorted(tables.items()):
            assert set(make()["asset"]) == {asset}
        assert clean.read == ASSETS
        assert clean.most_held == 1
