import numpy as np
import pytest

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.families import returns
from fleet_kedro.features.timeframes import closed_bars, on_base_bars


@pytest.fixture(scope="module")
def candles(random_bars) -> dict[str, np.ndarray]:
    return {
        name: getattr(random_bars, name)
        for name in ("open", "high", "low", "close", "volume")
    }


class TestKnownValues:
    def test_four_hours_make_one_candle(self, make_bars, candles):
        first = {name: values[:9] for name, values in candles.items()}
        coarse = closed_bars(make_bars(**first), 4)
        assert len(coarse) == 2
        assert coarse.open[1] == candles["open"][4]
        assert coarse.high[1] == candles["high"][4:8].max()
        assert coarse.low[1] == candles["low"][4:8].min()
        assert coarse.close[1] == candles["close"][7]
        assert coarse.volume[1] == candles["volume"][4:8].sum()
        assert coarse.timestamp[1] - coarse.timestamp[0] == np.timedelta64(4, "h")

    def test_market_returns_add_up(self, random_bars):
        around = random_bars.surroundings
        coarse = closed_bars(random_bars, 24).surroundings
        np.testing.assert_allclose(
            coarse.market_log_return[2], around.market_log_return[48:72].sum()
        )
        assert coarse.breadth[2] == pytest.approx(around.breadth[48:72].mean())

    def test_value_appears_with_the_row_that_closes_the_bar(self, make_bars):
        bars = make_bars(close=np.ones(10))
        on_base = on_base_bars(np.array([1.0, 2.0]), bars, 4)
        np.testing.assert_array_equal(on_base, [np.nan] * 3 + [1.0] * 4 + [2.0] * 3)


class TestProperties:
    @pytest.mark.parametrize(("hours", "name"), [(4, "_4h"), (24, "_1d")])
    def test_the_open_bar_is_never_visible(self, hours, name, make_bars, candles):
        """A jump planted in a bar shows in no row before the one that closes it."""
        signals = [s for s in catalogue("full") if s.name.endswith(name)]
        assert len(signals) >= 10
        planted_row = hours * 8 + 1
        closing_row = hours * 9 - 1
        n_bars = 300
        jumped = {k: v[:n_bars].copy() for k, v in candles.items()}
        for column in ("open", "high", "low", "close"):
            jumped[column][planted_row:] *= 3.0
        jumped["volume"][planted_row:] *= 50.0
        before = make_bars(**{k: v[:n_bars] for k, v in candles.items()})
        after = make_bars(**jumped)
        for signal in signals:
            np.testing.assert_array_equal(
                signal.compute(after)[:closing_row],
                signal.compute(before)[:closing_row],
                err_msg=signal.name,
            )

    def test_the_jump_is_visible_once_its_bar_has_closed(self, make_bars, candles):
        jumped = candles["close"].copy()
        jumped[101:] *= 3.0
        momentum = returns.momentum.signal(3, 4).compute
        plain = momentum(make_bars(close=candles["close"]))
        planted = momentum(make_bars(close=jumped))
        changed = np.flatnonzero(plain != planted)
        changed = changed[np.isfinite(plain[changed])]
        assert changed[0] == 103

    @pytest.mark.parametrize("late_hours", [1, 2, 3])
    def test_bars_stay_anchored_in_utc_when_a_segment_starts_late(
        self, late_hours, random_bars
    ):
        late = slice_bars(random_bars, late_hours)
        coarse, whole = closed_bars(late, 4), closed_bars(random_bars, 4)
        np.testing.assert_array_equal(coarse.timestamp, whole.timestamp[1:])
        np.testing.assert_array_equal(coarse.high, whole.high[1:])

    def test_value_of_a_row_does_not_depend_on_where_the_segment_starts(
        self, random_bars
    ):
        body = [s for s in catalogue("full") if s.name == "body_share_1_4h"]
        (signal,) = body
        whole = signal.compute(random_bars)
        late = signal.compute(slice_bars(random_bars, 2))
        np.testing.assert_array_equal(late[5:], whole[7:])

    def test_less_than_one_bar_gives_nothing(self, make_bars):
        bars = make_bars(close=np.ones(3))
        assert len(closed_bars(bars, 4)) == 0
        assert np.isnan(on_base_bars(np.empty(0), bars, 4)).all()


def slice_bars(bars: Bars, start: int) -> Bars:
    """The same candles without the first ones."""
    around = bars.surroundings
    names = ("market_log_return", "btc_log_return", "dispersion", "breadth")
    shares = ("btc_dominance_pct", "usdt_dominance_pct")
    return Bars(
        **{
            name: getattr(bars, name)[start:]
            for name in (
                "timestamp",
                "open",
                "high",
                "low",
                "close",
                "volume",
                "is_filled",
            )
        },
        surroundings=type(around)(
            **{name: getattr(around, name)[start:] for name in (*names, *shares)},
            **{
                name: {
                    key: state[start:] for key, state in getattr(around, name).items()
                }
                for name in ("ranks", "rising", "attention")
            },
        ),
    )
