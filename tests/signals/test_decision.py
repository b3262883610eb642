import time

import numpy as np
import pytest

from fleet_kedro.signals.confidence import ConfidenceRule
from fleet_kedro.signals.decision import (
    Decision,
    DecisionInputs,
    SignalSettings,
    decide,
)
from fleet_kedro.signals.dominance_regime import Regime
from fleet_kedro.signals.expectation import Absence, ExpectedReturns

NAN = np.nan
FLEET = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "AVAX", "MATIC")
SETTINGS = SignalSettings()
SHORT = SignalSettings.model_validate({"allocation": {"allows_short": True}})


def draw(moments: int, seed: int = 4, assets: tuple[str, ...] = FLEET):
    rng = np.random.default_rng(seed)
    shape = (moments, len(assets))
    middle = rng.normal(scale=0.01, size=shape)
    middle[rng.random(shape) < 0.1] = NAN
    half = np.abs(rng.normal(scale=0.01, size=shape))
    ratio = rng.uniform(0.8, 3.0, size=shape)
    ratio[rng.random(shape) < 0.05] = NAN
    usdt, btc = rng.uniform(3, 6, moments), rng.uniform(45, 65, moments)
    usdt[rng.random(moments) < 0.2] = NAN
    return DecisionInputs(
        assets,
        ExpectedReturns.of(middle, middle - half, middle + half),
        ratio,
        usdt,
        btc,
    )


def rows(decision: Decision, chosen: slice) -> list[np.ndarray]:
    """Every array of a decision, cut to some moments."""
    parts = []
    for value in decision:
        nested = value if isinstance(value, (ExpectedReturns, Regime)) else [value]
        parts += [array[chosen] for array in nested]
    return parts


def cut(inputs: DecisionInputs, chosen: slice) -> DecisionInputs:
    return inputs._replace(
        expected=ExpectedReturns(*(values[chosen] for values in inputs.expected)),
        volatility_ratio=inputs.volatility_ratio[chosen],
        usdt_dominance_pct=inputs.usdt_dominance_pct[chosen],
        btc_dominance_pct=inputs.btc_dominance_pct[chosen],
    )


class TestProperties:
    @pytest.mark.parametrize("settings", [SETTINGS, SHORT])
    def test_all_moments_at_once_are_those_moments_one_by_one(
        self, settings: SignalSettings
    ) -> None:
        inputs = draw(moments=60)
        together = decide(inputs, settings)
        for moment in range(60):
            here = slice(moment, moment + 1)
            alone = decide(cut(inputs, here), settings)
            for many, single in zip(
                rows(together, here), rows(alone, slice(None)), strict=True
            ):
                np.testing.assert_array_equal(many, single)
        assert (together.weight != 0).sum() > 60

    @pytest.mark.parametrize("settings", [SETTINGS, SHORT])
    def test_weights_follow_directions_and_keep_the_cash(
        self, settings: SignalSettings
    ) -> None:
        got = decide(draw(moments=500), settings)
        held = got.weight != 0

        assert (np.sign(got.weight)[held] == got.direction[held]).all()
        assert np.abs(got.weight).sum(axis=1).max() <= 0.8 + 1e-9
        assert (got.weight < 0).any() == settings.allocation.allows_short
        assert ((got.position_size >= 0) & (got.position_size <= 1)).all()
        assert (got.position_size[held] > 0).all()

    def test_what_is_unknown_is_held_out(self) -> None:
        got = decide(draw(moments=500), SETTINGS)
        is_absent = got.expected.absence != Absence.NONE
        kinds = set(np.unique(got.expected.absence[is_absent]))

        assert kinds == {Absence.NO_FORECAST, Absence.NO_THRESHOLD}
        assert (got.direction[is_absent] == 0).all()
        assert (got.weight[is_absent] == 0).all()
        assert (got.rule[is_absent] == ConfidenceRule.HOLD).all()

    def test_a_dark_market_is_as_good_as_one_without_dominance(self) -> None:
        inputs = draw(moments=50)
        dark = inputs._replace(
            usdt_dominance_pct=np.full(50, NAN), btc_dominance_pct=np.full(50, NAN)
        )
        off = SignalSettings.model_validate({"regime": {"is_used": False}})
        np.testing.assert_array_equal(
            decide(dark, SETTINGS).weight, decide(inputs, off).weight
        )


class TestSeasons:
    @pytest.mark.parametrize(("share", "btc_gets_more"), [(65.0, True), (45.0, False)])
    def test_weight_moves_between_bitcoin_and_the_others(
        self, share: float, btc_gets_more: bool
    ) -> None:
        # Equal scores: the risk weights of the settings are undone by the forecasts.
        middle = np.array([[0.02, 0.02 / 0.85, 0.02 / 0.70]])
        inputs = DecisionInputs(
            ("BTC", "ETH", "SOL"),
            ExpectedReturns.of(middle, middle - 0.001, middle + 0.001),
            np.ones((1, 3)),
            np.array([3.0]),
            np.array([share]),
        )
        weight = decide(inputs, SETTINGS).weight[0]

        assert weight.sum() == pytest.approx(0.8)
        assert weight[1] == pytest.approx(weight[2])
        assert (weight[0] > weight[1]) == btc_gets_more


def test_two_years_of_eleven_assets_take_no_time() -> None:
    inputs = draw(moments=17_520, assets=(*FLEET, "LINK", "LTC"))
    begin = time.process_time()
    decide(inputs, SETTINGS)

    # About 0.2 s; the rest is for a slow machine.
    assert time.process_time() - begin < 2.0
