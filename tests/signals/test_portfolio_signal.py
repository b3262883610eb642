from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.portfolio_signal import NothingToJudge, compose_signal
from fleet_kedro.signals.signal_shape import CASH, AssetSignal, PortfolioSignal
from fleet_kedro.signals.soundness import AssetFacts

NAN = np.nan
NOW = datetime(2025, 10, 25, 19, 26, 8, tzinfo=UTC)
LAST_OPEN = datetime(2025, 10, 25, 18, tzinfo=UTC)
ASSETS = ("BTC", "ETH", "SOL")
PRICE = {"BTC": 111238.53, "ETH": 3958.89, "SOL": 194.19}
TARGET = {"BTC": 113302.98, "ETH": 3948.88, "SOL": 194.38}
# What each asset's models had erred by before, one root mean square.
ERROR = {"BTC": 0.0045, "ETH": 0.0091, "SOL": 0.0101}
SETTINGS = SignalSettings()


def inputs(
    target: Mapping[str, float] = TARGET,
    half: Mapping[str, float] | None = None,
    dominance: tuple[float, float] = (NAN, NAN),
) -> DecisionInputs:
    middle = np.array([[target[a] / PRICE[a] - 1 for a in ASSETS]])
    spread = np.array([[(half or {}).get(a, NAN) for a in ASSETS]])
    return DecisionInputs(
        ASSETS,
        ExpectedReturns.of(middle, middle - spread, middle + spread),
        np.array([[1.0, 1.4, 2.0]]),
        np.array([dominance[0]]),
        np.array([dominance[1]]),
    )


def facts(**changes: AssetFacts | None) -> dict[str, AssetFacts]:
    known = {asset: AssetFacts(LAST_OPEN, PRICE[asset]) for asset in ASSETS} | changes
    return {asset: fact for asset, fact in known.items() if fact is not None}


def levels() -> PriceLevels:
    touches = np.array([[3, 2, 0]])
    return PriceLevels(
        np.array([[109000.0, 3900.0, NAN]]),
        np.array([[115000.0, 4100.0, NAN]]),
        touches,
        touches,
        np.full((1, 3), 0.005),
    )


class TestTheKnownExample:
    @pytest.mark.parametrize("half", [None, ERROR])
    def test_one_strong_buy_and_two_holds(
        self, half: Mapping[str, float] | None
    ) -> None:
        got = compose_signal(NOW, inputs(half=half), facts(), SETTINGS)
        told = got.individual_signals

        assert {a: s.signal.name for a, s in told.items()} == {
            "BTC": "BUY",
            "ETH": "HOLD",
            "SOL": "HOLD",
        }
        assert (told["BTC"].strength, told["BTC"].confidence) == ("STRONG", "HIGH")
        assert [round(told[a].expected_return, 4) for a in ASSETS] == [
            0.0186,
            -0.0025,
            0.0010,
        ]
        assert [told[a].position_size for a in ASSETS] == [1.0, 0.0, 0.0]
        assert [told[a].threshold for a in ASSETS] == [0.003, 0.006, 0.0075]
        assert [told[a].target_price for a in ASSETS] == list(TARGET.values())
        assert got.portfolio_allocation == {
            "BTC": 0.45,
            "ETH": 0.0,
            "SOL": 0.0,
            "CASH": 0.55,
        }
        assert round(got.expected_return_12h, 4) == 0.0084
        assert got.active_positions == 1
        assert got.timestamp == NOW

    def test_everything_explains_itself(self) -> None:
        got = compose_signal(NOW, inputs(half=ERROR), facts(), SETTINGS, levels())
        btc, eth = got.individual_signals["BTC"], got.individual_signals["ETH"]

        assert btc.rule.name == "STRONG_CLEAR_OF_ZERO"
        assert btc.reason == (
            "The forecast of +1.86% is more than 2 times the threshold of 0.30%; its "
            "interval is clear of zero. It gets 45.0% of the capital, long."
        )
        assert eth.reason == ("The forecast of -0.25% is under the threshold of 0.60%.")
        assert btc.interval.low == pytest.approx(0.0186 - 0.0045, abs=1e-4)
        assert btc.data_age_hours == pytest.approx(26 / 60 + 8 / 3600, abs=1e-6)

    def test_an_open_trade_has_a_stop_and_a_target_and_a_hold_has_none(self) -> None:
        got = compose_signal(NOW, inputs(), facts(), SETTINGS, levels())
        btc, eth, sol = (got.individual_signals[a].levels for a in ASSETS)

        assert btc.stop_loss < btc.support < btc.entry < btc.take_profit
        assert btc.take_profit < btc.resistance
        assert btc.reward_risk > 0
        assert (eth.support, eth.support_touches) == (3900.0, 2)
        assert eth.entry is eth.stop_loss is eth.take_profit is None
        assert sol.support is sol.resistance is None


class TestALargeFleet:
    def test_those_without_room_say_so(self) -> None:
        assets = tuple(f"A{number}" for number in range(11))
        middle = np.linspace(0.01, 0.02, 11)[np.newaxis]
        unknown = np.full((1, 11), NAN)
        everything = DecisionInputs(
            assets,
            ExpectedReturns.of(middle, unknown, unknown),
            np.ones((1, 11)),
            np.array([NAN]),
            np.array([NAN]),
        )
        known = {asset: AssetFacts(LAST_OPEN, 100.0) for asset in assets}
        got = compose_signal(NOW, everything, known, SETTINGS)

        assert got.active_positions == 8
        for asset in assets[:3]:
            own = got.individual_signals[asset]
            assert (own.signal.name, own.strength) == ("BUY", "STRONG")
            assert "There is no room for it" in own.reason
            assert got.portfolio_allocation[asset] == 0


class TestRegime:
    def test_fear_scales_what_is_held(self) -> None:
        got = compose_signal(NOW, inputs(dominance=(5.5, 55.0)), facts(), SETTINGS)

        assert got.portfolio_allocation["BTC"] == pytest.approx(0.18)
        assert got.individual_signals["BTC"].regime.fear.name == "FEAR"
        assert got.notices == ()

    def test_unknown_dominance_is_neutral_and_said(self) -> None:
        got = compose_signal(NOW, inputs(dominance=(NAN, 65.0)), facts(), SETTINGS)

        assert got.portfolio_allocation["BTC"] == 0.45
        assert got.notices == ("USDT.D is unknown, so exposure is not scaled by fear.",)


class TestSell:
    FALL = TARGET | {"BTC": 109000.0}

    def test_long_only_it_is_an_exit(self) -> None:
        got = compose_signal(NOW, inputs(self.FALL), facts(), SETTINGS, levels())
        btc = got.individual_signals["BTC"]

        assert (btc.signal.name, btc.strength) == ("SELL", "STRONG")
        assert btc.position_size == 0
        assert btc.levels.entry is None
        assert got.portfolio_allocation[CASH] == 1.0
        assert "a SELL is an exit" in btc.reason

    def test_where_one_may_short_it_is_a_position(self) -> None:
        short = SignalSettings.model_validate({"allocation": {"allows_short": True}})
        got = compose_signal(NOW, inputs(self.FALL), facts(), short, levels())
        btc = got.individual_signals["BTC"]

        assert got.portfolio_allocation == {
            "BTC": -0.45,
            "ETH": 0.0,
            "SOL": 0.0,
            "CASH": 0.55,
        }
        assert got.expected_return_12h > 0
        assert btc.position_size == 1
        assert btc.levels.take_profit < btc.levels.entry < btc.levels.stop_loss


class TestDegradedInput:
    def check(
        self, got: PortfolioSignal, asset: str, problem: Absence, words: str
    ) -> AssetSignal:
        own = got.individual_signals[asset]
        assert own.problem == problem
        assert own.signal.name == "HOLD"
        assert own.confidence == "LOW"
        assert words in own.reason
        if problem != Absence.NO_THRESHOLD:
            assert own.expected_return is own.target_price is None
        assert got.portfolio_allocation[asset] == 0
        return own

    def test_a_stale_candle(self) -> None:
        old = AssetFacts(LAST_OPEN - timedelta(hours=6), PRICE["BTC"])
        got = compose_signal(NOW, inputs(), facts(BTC=old), SETTINGS)
        self.check(got, "BTC", Absence.STALE_CANDLE, "6.4 hours ago; up to 2")

    def test_the_oldest_candle_that_is_fresh(self) -> None:
        now = LAST_OPEN + timedelta(hours=3)
        got = compose_signal(now, inputs(), facts(), SETTINGS)
        assert got.active_positions == 1

    def test_a_clock_that_is_ahead(self) -> None:
        early = AssetFacts(LAST_OPEN + timedelta(hours=1), PRICE["BTC"])
        got = compose_signal(NOW, inputs(), facts(BTC=early), SETTINGS)
        self.check(got, "BTC", Absence.CLOCK_AHEAD, "34 minutes after")

    def test_a_clock_may_be_a_little_off(self) -> None:
        now = LAST_OPEN + timedelta(minutes=59, seconds=30)
        got = compose_signal(now, inputs(), facts(), SETTINGS)
        assert got.individual_signals["BTC"].problem == Absence.NONE
        assert got.active_positions == 1

    @pytest.mark.parametrize(
        "known",
        [None, AssetFacts(None, 1.0), AssetFacts(LAST_OPEN, NAN)]
        + [AssetFacts(LAST_OPEN, price) for price in (0.0, -1.0, np.inf)],
    )
    def test_no_candle(self, known: AssetFacts | None) -> None:
        got = compose_signal(NOW, inputs(), facts(BTC=known), SETTINGS)
        own = self.check(got, "BTC", Absence.NO_CANDLE, "no candle of BTC")
        assert own.rule.name == "HOLD"

    def test_a_model_that_is_not_there(self) -> None:
        bare = AssetFacts(LAST_OPEN, PRICE["BTC"], has_model=False)
        got = compose_signal(NOW, inputs(), facts(BTC=bare), SETTINGS)
        self.check(got, "BTC", Absence.NO_MODEL, "no model that forecasts")

    def test_a_forecast_that_is_no_number(self) -> None:
        got = compose_signal(NOW, inputs(TARGET | {"BTC": NAN}), facts(), SETTINGS)
        self.check(got, "BTC", Absence.NO_FORECAST, "not a number")

    def test_no_threshold(self) -> None:
        bare = SignalSettings.model_validate({"threshold": {"stated": {"ETH": 0.006}}})
        unknown = inputs()._replace(volatility_ratio=np.array([[NAN, 1.4, 2.0]]))
        got = compose_signal(NOW, unknown, facts(), bare)
        self.check(got, "BTC", Absence.NO_THRESHOLD, "BTC has no threshold")

    def test_the_others_go_on(self) -> None:
        rising = TARGET | {"ETH": 4100.0}
        whole = compose_signal(NOW, inputs(rising), facts(), SETTINGS)
        without = compose_signal(NOW, inputs(rising), facts(SOL=None), SETTINGS)

        for asset in ("BTC", "ETH"):
            assert without.individual_signals[asset] == whole.individual_signals[asset]
        assert without.portfolio_allocation == whole.portfolio_allocation
        assert without.active_positions == 2

    def test_nothing_at_all_is_refused_with_every_reason(self) -> None:
        bare = AssetFacts(LAST_OPEN, PRICE["SOL"], has_model=False)
        unknown = inputs(TARGET | {"ETH": NAN})
        with pytest.raises(
            NothingToJudge, match=r"None of 3 .* candle of BTC .* ETH .* SOL"
        ):
            compose_signal(NOW, unknown, facts(BTC=None, SOL=bare), SETTINGS)


class TestWeights:
    def test_a_hair_under_a_round_weight_is_that_weight(self) -> None:
        # Equal scores, as the risk weight of ETH is undone by its forecast.
        target = TARGET | {
            "BTC": PRICE["BTC"] * 1.02,
            "ETH": PRICE["ETH"] * (1 + 0.02 / 0.85),
        }
        got = compose_signal(NOW, inputs(target), facts(), SETTINGS)

        assert got.portfolio_allocation == {
            "BTC": 0.4,
            "ETH": 0.4,
            "SOL": 0.0,
            "CASH": pytest.approx(0.2, abs=1e-12),
        }

    @pytest.mark.parametrize("seed", range(20))
    def test_they_add_up_after_rounding(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        target = {a: PRICE[a] * (1 + rng.uniform(0, 0.03)) for a in ASSETS}
        got = compose_signal(NOW, inputs(target), facts(), SETTINGS)
        weights = got.portfolio_allocation

        assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)
        assert weights[CASH] >= 0.2
        assert all(w == 0 or 0.1 <= w <= 0.45 for w in list(weights.values())[:-1])
