from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.labels.forward_return import Label, forward_return
from fleet_kedro.metrics.booking import DayBook, open_day_book

START = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")
HOUR = pd.Timedelta(hours=1)


class World:
    """Candles of some assets, and a row for each candle of each asset."""

    def __init__(self, opens: dict[str, np.ndarray], start: pd.Timestamp = START):
        self.opens = opens
        self.frames = {
            asset: pd.DataFrame(
                {
                    "timestamp": start + HOUR * np.arange(price.size),
                    "open": price,
                    "is_filled": False,
                    "segment": np.zeros(price.size, dtype=np.int32),
                }
            )
            for asset, price in opens.items()
        }

    def change(self, asset: str, frame: pd.DataFrame) -> "World":
        world = World(self.opens)
        world.frames = {**self.frames, asset: frame}
        return world

    @property
    def candles(self) -> dict[str, Callable[[], pd.DataFrame]]:
        return {asset: frame.copy for asset, frame in self.frames.items()}

    @property
    def rows(self) -> pd.DataFrame:
        frames = [frame.assign(asset=asset) for asset, frame in self.frames.items()]
        return (
            pd.concat(frames)[["timestamp", "asset"]]
            .sort_values(["timestamp", "asset"])
            .reset_index(drop=True)
        )

    def book(self, label: Label) -> DayBook:
        return open_day_book(self.rows, self.candles, label)

    def forward_returns(self, label: Label) -> np.ndarray:
        """What each row's trade earns, as the labels chapter tells it."""
        told = [
            own.assign(
                asset=asset,
                earned=forward_return(
                    own["open"].to_numpy(),
                    own["is_filled"].to_numpy(),
                    label.horizon_bars,
                )
                if len(own) > label.horizon_bars + 1
                else np.nan,
            )
            for asset, frame in self.frames.items()
            for _, own in frame.groupby("segment")
        ]
        return (
            pd.concat(told)
            .set_index(["timestamp", "asset"])["earned"]
            .loc[pd.MultiIndex.from_frame(self.rows)]
            .to_numpy()
        )


def random_world(seed: int, hours: int = 200, assets: int = 3) -> World:
    """Random walks; the last asset misses a day, the first has filled candles."""
    rng = np.random.default_rng(seed)
    world = World(
        {
            f"A{number}": 10.0**-number * np.exp(rng.normal(0, 0.02, hours).cumsum())
            for number in range(assets)
        }
    )
    first, last = world.frames["A0"], world.frames[f"A{assets - 1}"]
    is_filled = rng.random(hours) < 0.05
    gap = int(rng.integers(1, hours - 26))
    behind = np.arange(hours) >= gap
    broken = last.assign(segment=behind.astype(np.int32)).drop(
        index=range(gap, gap + 25)
    )
    return world.change("A0", first.assign(is_filled=is_filled)).change(
        f"A{assets - 1}", broken
    )


def broker(world: World, weight: np.ndarray, label: Label) -> pd.Series:
    """Trade hour by hour with an account; equity is read at each midnight.

    At midnight the day is closed before anything is bought or sold.
    """
    rows = world.rows.assign(weight=weight)
    price = {
        (asset, moment): value
        for asset, frame in world.frames.items()
        for moment, value in zip(frame["timestamp"], frame["open"], strict=True)
    }
    part = 1 / (rows["asset"].nunique() * label.horizon_bars)
    wanted = {
        (row.asset, row.timestamp + HOUR): part * row.weight
        for row in rows.itertuples()
        if row.weight > 0
    }
    moment = rows["timestamp"].min() + HOUR
    last = rows["timestamp"].max() + HOUR * (label.horizon_bars + 1)
    cash, equity, day = 0.0, 0.0, moment.floor("D")
    held: list[tuple[str, pd.Timestamp, float, float]] = []
    profit = {}
    while moment <= last:
        if moment.floor("D") != day:
            worth = cash + sum(price[a, moment] * units for a, _, units, _ in held)
            profit[day], equity, day = worth - equity, worth, moment.floor("D")
        for asset, sold_at, units, spent in held:
            if sold_at == moment:
                cash += units * price[asset, moment]
                cash -= spent * label.round_trip_cost / 2
        held = [trade for trade in held if trade[1] != moment]
        for (asset, bought_at), spent in wanted.items():
            if bought_at == moment:
                cash -= spent * (1 + label.round_trip_cost / 2)
                units = spent / price[asset, moment]
                held.append((asset, moment + HOUR * label.horizon_bars, units, spent))
        moment += HOUR
    assert not held
    profit[day] = cash - equity
    return pd.Series(profit)


def booked(world: World, weight: np.ndarray, label: Label) -> pd.Series:
    book = world.book(label)
    return pd.Series(book.daily_returns(weight[:, np.newaxis])[:, 0], index=book.days)


class TestKnownValues:
    def test_a_trade_over_midnight_is_split_there(self) -> None:
        # Row 21:00 buys at 22:00 for 100, is worth 110 at midnight and 99 at 02:00.
        price = np.array([100.0] * 23 + [105, 110, 90, 99, 99])
        world = World({"A": price})
        label = Label(horizon_bars=4, round_trip_cost=0.01)
        weight = np.zeros(28)
        weight[21] = 1
        told = booked(world, weight, label)
        assert list(told.index) == [START, START + pd.Timedelta(days=1)]
        np.testing.assert_allclose(
            told, [(0.10 - 0.005) / 4, (-0.11 - 0.005) / 4], atol=1e-15
        )

    def test_a_sale_at_midnight_pays_on_the_new_day(self) -> None:
        price = np.array([100.0] * 23 + [104, 110, 500])
        world = World({"A": price})
        weight = np.zeros(26)
        weight[21] = 1
        told = booked(world, weight, Label(horizon_bars=2, round_trip_cost=0.01))
        np.testing.assert_allclose(told, [(0.10 - 0.005) / 2, -0.005 / 2], atol=1e-15)

    def test_a_trade_of_two_days_touches_three(self) -> None:
        price = 100.0 + np.arange(80)
        world = World({"A": price})
        weight = np.zeros(80)
        weight[22] = 1
        told = booked(world, weight, Label(horizon_bars=48, round_trip_cost=0.0))
        # It is bought at hour 23 for 123 and sold at hour 71.
        np.testing.assert_allclose(
            told.iloc[:3], np.array([1, 24, 23]) / 123 / 48, atol=1e-15
        )
        assert (told.iloc[3:] == 0).all()

    def test_a_weight_scales_what_is_booked(self) -> None:
        world = random_world(seed=3)
        label = Label()
        rows = world.book(label).is_tradable
        whole, third = booked(world, 1.0 * rows, label), booked(world, rows / 3, label)
        np.testing.assert_allclose(third, whole / 3, atol=1e-15)

    def test_exposure_is_the_share_of_the_last_hours_that_signalled(self) -> None:
        # The price jumps by 1 % once, so the day earns 1 % of what was exposed.
        rng = np.random.default_rng(0)
        signal = rng.random(72) < 0.4
        jump = 40
        price = np.where(np.arange(72) > jump, 101.0, 100.0)
        signal[59:] = False
        world = World({"A": price, "B": np.full(72, 5.0)})
        weight = np.zeros(144)
        weight[::2] = signal
        told = booked(world, weight, Label(horizon_bars=12, round_trip_cost=0.0))
        exposure = signal[jump - 12 : jump].mean() / 2
        assert 0 < exposure < 0.5
        expected = [0, 0.01 * exposure, 0, 0]
        np.testing.assert_allclose(told, expected, atol=1e-15)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("horizon", [1, 5, 12, 24, 30])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_equals_a_broker_who_trades_hour_by_hour(
        self, horizon: int, seed: int
    ) -> None:
        world = random_world(seed)
        label = Label(horizon_bars=horizon, round_trip_cost=0.003)
        rng = np.random.default_rng(seed + 10)
        tradable = world.book(label).is_tradable
        weight = np.where(tradable & (rng.random(tradable.size) < 0.3), 0.7, 0.0)
        weight[tradable & (rng.random(tradable.size) < 0.2)] = 1.0
        told, expected = booked(world, weight, label), broker(world, weight, label)
        assert len(expected) >= 8
        assert list(told.index) == list(expected.index)
        assert (told != 0).sum() >= 8
        np.testing.assert_allclose(told, expected, atol=1e-14)


class TestProperties:
    @given(seed=st.integers(0, 10_000), horizon=st.integers(1, 60))
    @settings(max_examples=25, deadline=None)
    def test_days_add_up_to_the_net_returns_of_the_trades(
        self, seed: int, horizon: int
    ) -> None:
        world = random_world(seed, hours=120)
        label = Label(horizon_bars=horizon, round_trip_cost=0.002)
        signal = np.random.default_rng(seed).random(len(world.rows)) < 0.5
        earned = world.forward_returns(label)
        signal &= np.isfinite(earned)
        net = (earned[signal] - label.round_trip_cost).sum() / (3 * horizon)
        assert booked(world, signal, label).sum() == pytest.approx(net, abs=1e-13)

    @pytest.mark.parametrize("horizon", [1, 12, 40])
    def test_what_can_be_traded_is_what_has_a_label(self, horizon: int) -> None:
        world = random_world(seed=5)
        label = Label(horizon_bars=horizon)
        is_labelled = np.isfinite(world.forward_returns(label))
        tradable = world.book(label).is_tradable
        assert 0 < tradable.sum() < tradable.size
        np.testing.assert_array_equal(tradable, is_labelled)

    def test_a_row_without_a_label_books_nothing(self) -> None:
        book = random_world(seed=5).book(Label())
        untradable = book.booked.toarray()[:, ~book.is_tradable]
        assert untradable.shape[1] > 0
        assert (untradable == 0).all()

    def test_a_day_without_a_trade_is_exactly_zero(self) -> None:
        world = random_world(seed=7, hours=400)
        label = Label()
        hours = (world.rows["timestamp"] - START) // HOUR
        idle = (hours < 140) | (hours > 300)
        weight = (world.book(label).is_tradable & idle.to_numpy()).astype(float)
        told = booked(world, weight, label)
        # Hours 168 to 287: the last trade before has closed, the next has not begun.
        assert (told.iloc[7:12] == 0).all()
        assert (told.iloc[[0, 1, 2, 3, 4, 5, 13, 14]] != 0).all()

    def test_configurations_do_not_touch_each_other(self) -> None:
        world = random_world(seed=2)
        book = world.book(Label())
        rng = np.random.default_rng(0)
        signals = (rng.random((len(world.rows), 7)) < 0.3) & book.is_tradable[:, None]
        together = book.daily_returns(signals)
        assert together.shape == (len(book.days), 7)
        for number in range(7):
            alone = book.daily_returns(signals[:, [number]])
            np.testing.assert_array_equal(together[:, [number]], alone)

    def test_rows_may_come_in_any_order(self) -> None:
        world = random_world(seed=2)
        book = world.book(Label())
        weight = book.is_tradable[:, None] * 1.0
        order = np.random.default_rng(1).permutation(len(world.rows))
        shuffled = open_day_book(world.rows.iloc[order], world.candles, Label())
        np.testing.assert_array_equal(shuffled.is_tradable, book.is_tradable[order])
        np.testing.assert_allclose(
            shuffled.daily_returns(weight[order]),
            book.daily_returns(weight),
            atol=1e-15,
        )

    def test_an_asset_without_signals_rests(self) -> None:
        price = np.exp(np.random.default_rng(0).normal(0, 0.01, 60).cumsum())
        alone, beside = World({"A": price}), World({"A": price, "B": price})
        label = Label()
        signal = alone.book(label).is_tradable
        of_both = np.zeros(120, dtype=bool)
        of_both[::2] = signal
        np.testing.assert_allclose(
            booked(beside, of_both, label), booked(alone, signal, label) / 2, atol=1e-15
        )


class TestErrors:
    @pytest.fixture
    def book(self) -> DayBook:
        return World({"A": np.full(40, 2.0)}).book(Label())

    def test_a_signal_that_cannot_be_traded_is_named(self, book: DayBook) -> None:
        with pytest.raises(ValueError, match=r"13 rows are signalled.*first row 27"):
            book.daily_returns(np.ones((40, 1), dtype=bool))

    @pytest.mark.parametrize("weight", [-0.1, 1.5, np.nan])
    def test_a_weight_is_a_share(self, book: DayBook, weight: float) -> None:
        weights = np.zeros((40, 2))
        weights[3, 1] = weight
        with pytest.raises(ValueError, match=f"A weight is {weight}"):
            book.daily_returns(weights)

    def test_no_rows_are_refused(self) -> None:
        world = World({"A": np.full(40, 2.0)})
        with pytest.raises(ValueError, match="no rows to book"):
            open_day_book(world.rows.iloc[:0], world.candles, Label())
