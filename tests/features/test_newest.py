"""The newest rows from a tail are those that all candles would give."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.build import FeatureSettings, feature_columns
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.newest import TAIL_BARS, NewestFeatures
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

SETTINGS = FeatureSettings(
    profile="full",
    fractional=FractionalDifference(weight_cutoff=1e-5, max_window_bars=480),
)
ORDERS = {"BTC": 0.41, "ETH": 0.36, "SOL": 0.2}
RECIPE = FeatureRecipe(settings=SETTINGS, orders=ORDERS)
NEWEST = 48
KEYS = ["timestamp", "asset", "segment", "is_filled"]


@pytest.fixture(scope="module")
def market():
    """Thirteen months of candles; SOL has a gap inside the tail."""
    window = Window(days=390)
    raw = SyntheticMarket(
        seed=3, edge=0.1, horizon_bars=12, round_trip_cost=0.002
    ).generate(Universe(assets=("BTC", "ETH", "SOL")), window)
    candles = {
        asset: clean_candles({asset: own}, GapPolicy())
        for asset, own in select(raw.candles, window).candles.items()
    }
    own = candles["SOL"]
    after = np.arange(len(own)) >= len(own) - 2400
    split = own.assign(segment=own["segment"] + after.astype(np.int32))
    gap = split.index[len(own) - 2420 : len(own) - 2400]
    candles["SOL"] = split.drop(index=gap).reset_index(drop=True)
    hours = pd.DatetimeIndex(candles["BTC"]["timestamp"])
    return candles, join_dominance(hours, raw.dominance, DominancePolicy())


@pytest.fixture(scope="module")
def tables(market):
    """Feature tables from all candles, and from their tails."""
    candles, shares = market
    tails = {
        asset: own.tail(TAIL_BARS).reset_index(drop=True)
        for asset, own in candles.items()
    }
    assert all(len(own) > TAIL_BARS + 2000 for own in candles.values())
    return [NewestFeatures(c, shares).tables(RECIPE) for c in (candles, tails)]


@pytest.mark.parametrize("asset", ["BTC", "ETH", "SOL"])
def test_the_newest_rows_are_the_same_to_a_unit_in_the_last_place(tables, asset):
    whole, newest = (own[asset].tail(NEWEST).reset_index(drop=True) for own in tables)
    numbers = [name for name in feature_columns("full") if name not in KEYS]
    expected, got = whole[numbers].to_numpy(float), newest[numbers].to_numpy(float)
    # Where a number is zero but for its rounding, a millionth is nothing.
    unit = np.spacing(np.maximum(np.abs(expected), 1e-2).astype(np.float32))

    pd.testing.assert_frame_equal(newest[KEYS], whole[KEYS], check_dtype=False)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    assert np.isfinite(got[:, :-1]).all()
    off = np.nan_to_num(np.abs(got - expected) / unit)
    worst = numbers[int(off.max(axis=0).argmax())]
    assert off.max() <= 1.0, f"{worst} is {off.max():.1f} units off"


def test_nearly_all_of_them_are_the_same_to_the_last_bit(tables):
    same = [
        (own["BTC"].tail(NEWEST)[name].to_numpy(), other)
        for name in feature_columns("full")[len(KEYS) : -1]
        for own, other in [(tables[0], tables[1]["BTC"].tail(NEWEST)[name].to_numpy())]
    ]
    equal = [np.array_equal(one, other) for one, other in same]

    assert sum(equal) >= len(equal) - 15


def test_a_shorter_tail_would_not_do(market):
    """The tail is as long as it is for a reason: a daily average forgets slowly."""
    candles, shares = market
    own = {"BTC": candles["BTC"]}
    short = {"BTC": candles["BTC"].tail(1200).reset_index(drop=True)}
    whole, newest = (NewestFeatures(c, shares).tables(RECIPE) for c in (own, short))
    last = [table["BTC"]["rsi_13_1d"].iloc[-1] for table in (whole, newest)]

    assert abs(last[0] - last[1]) > 1e-4


def test_an_asset_without_an_order_has_no_table_but_is_part_of_the_market(market):
    candles, shares = market
    tails = {asset: own.tail(700) for asset, own in candles.items()}
    tails = {asset: own.reset_index(drop=True) for asset, own in tails.items()}
    alone = RECIPE.model_copy(update={"orders": {"BTC": 0.41}})
    without = NewestFeatures(tails, shares).tables(alone)
    together = NewestFeatures(tails, shares).tables(RECIPE)

    assert list(without) == ["BTC"]
    pd.testing.assert_frame_equal(without["BTC"], together["BTC"], check_exact=True)
    with pytest.raises(ValueError, match="no fractional order for ETH: train it again"):
        NewestFeatures(tails, shares).table("ETH", alone)


def test_no_candles_give_no_tables():
    shares = pd.DataFrame(columns=["btc_dominance_pct", "usdt_dominance_pct"])

    assert NewestFeatures({}, shares).tables(RECIPE) == {}


def test_two_recipes_give_two_tables_each_made_once(market):
    candles, shares = market
    tails = {"BTC": candles["BTC"].tail(700).reset_index(drop=True)}
    newest = NewestFeatures(tails, shares)
    other = RECIPE.model_copy(update={"orders": ORDERS | {"BTC": 0.2}})
    tables = [newest.table("BTC", recipe) for recipe in (RECIPE, other, RECIPE)]
    changed = [
        name
        for name in tables[0].columns
        if not tables[0][name].equals(tables[1][name])
    ]

    assert changed == ["log_price_fracdiff"]
    assert tables[2] is tables[0]
