"""Today's portfolio signal from what is known, what the models say, and the rules.

Each asset's forecast is turned into an expected return exactly as it is for the hours
of a backtest (`fleet_kedro.signals.walked_history`), and all of them are judged by the
same `decide`. What a model cannot say is told: of the fleet in a notice, of an asset
that nobody can judge in its reason.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int8

from fleet_kedro.signals.answers import Answers, facts_of, notices_of
from fleet_kedro.signals.brain_answer import BrainAnswer
from fleet_kedro.signals.calibrated_return import CalibratedReturn
from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.ensemble_answer import UNKNOWN, EnsembleAnswer
from fleet_kedro.signals.expectation import Absence, ExpectedReturns, choose_source
from fleet_kedro.signals.learnt_rules import Learnt
from fleet_kedro.signals.levels import PriceLevels, price_levels
from fleet_kedro.signals.portfolio_signal import NothingToJudge, compose_signal
from fleet_kedro.signals.present import Present
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.signals.volatility_ratio import volatility_ratio
from fleet_kedro.signals.walked_history import market_volatility, move_unit


def judge_present(
    present: Present, answers: Answers, learnt: Learnt, settings: SignalSettings
) -> PortfolioSignal:
    """Judge the fleet now.

    Raises
    ------
    NothingToJudge
        If not one asset can be judged; says why.
    """
    notices = notices_of(present, answers, learnt)
    view = _View.of(present, settings)
    expected = _expected(view, answers, learnt, settings)
    facts = facts_of(present, answers, learnt)
    try:
        signal = compose_signal(
            present.now,
            view.inputs(expected, learnt, settings),
            facts,
            settings,
            view.levels if settings.levels.is_used else None,
        )
    except NothingToJudge as nothing:
        raise NothingToJudge(" ".join([str(nothing), *notices])) from nothing
    return signal.model_copy(update={"notices": (*signal.notices, *notices)})


class _View(NamedTuple):
    """Numbers of each asset at its last candle, as arrays of one row."""

    present: Present
    volatility: Float[np.ndarray, "1 assets"]
    ratio: Float[np.ndarray, "1 assets"]
    levels: PriceLevels

    @classmethod
    def of(cls, present: Present, settings: SignalSettings) -> "_View":
        nothing = np.full((1, len(present.assets)), np.nan)
        market = present.market
        if market is None:
            none = np.zeros(nothing.shape, dtype=np.int64)
            return cls(
                present,
                nothing,
                nothing,
                PriceLevels(nothing, nothing, none, none, nothing),
            )
        volatility = market_volatility(market, settings)
        ratio = volatility_ratio(
            volatility, market.assets, settings.threshold.reference
        )
        high, low, close = (
            np.where(market.is_tradable, price, np.nan)
            for price in (market.high, market.low, market.close)
        )
        levels = price_levels(high, low, close, settings.levels)
        return cls(
            present,
            present.at_newest(volatility),
            present.at_newest(ratio),
            _levels_now(present, levels),
        )

    def inputs(
        self, expected: ExpectedReturns, learnt: Learnt, settings: SignalSettings
    ) -> DecisionInputs:
        usdt, btc = self.present.dominance_pct
        return DecisionInputs(
            assets=self.present.assets,
            expected=expected,
            volatility_ratio=self.ratio,
            usdt_dominance_pct=np.array([usdt]),
            btc_dominance_pct=np.array([btc]),
            tuned_threshold=learnt.tuned_thresholds(
                self.ratio, self.present.assets, settings
            ),
        )


def _levels_now(present: Present, levels: PriceLevels) -> PriceLevels:
    """Take each asset's levels at its last candle."""
    own = {
        name: present.at_newest(values.astype(np.float64))
        for name, values in levels._asdict().items()
    }
    touches = {
        name: np.nan_to_num(own[name]).astype(np.int64)
        for name in ("support_touches", "resistance_touches")
    }
    return PriceLevels(**{**own, **touches})


def _expected(
    view: _View, answers: Answers, learnt: Learnt, settings: SignalSettings
) -> ExpectedReturns:
    """Turn what the models say into expected returns, and choose between them."""
    assets = view.present.assets
    ensemble = brain = None
    if answers.ensembles is not None:
        ensemble = _of_ensembles(answers.ensembles, assets)
    if answers.brain is not None:
        unit = move_unit(view.volatility, settings.horizon_hours)
        brain = _of_brain(answers.brain, learnt.curves, unit, assets)
    chosen = choose_source(ensemble, brain, settings.forecast)
    reasons = [each.absence for each in (ensemble, brain) if each is not None]
    # A model that is there and says nothing tells more than one that is not there.
    reason = np.maximum.reduce(reasons)
    is_known = chosen.absence == Absence.NONE
    return chosen._replace(absence=np.where(is_known, chosen.absence, reason))


def _of_ensembles(answer: EnsembleAnswer, assets: tuple[str, ...]) -> ExpectedReturns:
    said = np.array([answer.forecast.get(asset, UNKNOWN) for asset in assets]).T
    expected = ExpectedReturns.of_log_returns(*said[:, np.newaxis])
    return _without_model(expected, [asset in answer.forecast for asset in assets])


def _of_brain(
    answer: BrainAnswer,
    curves: CalibratedReturn | None,
    unit: Float[np.ndarray, "1 assets"],
    assets: tuple[str, ...],
) -> ExpectedReturns:
    if curves is None:
        return ExpectedReturns.unknown((1, len(assets)))
    probability = [answer.probability.get(asset, np.nan) for asset in assets]
    expected = curves.expect(np.array([probability]), unit, assets)
    return _without_model(expected, [asset in answer.learnt for asset in assets])


def _without_model(expected: ExpectedReturns, has_model: list[bool]) -> ExpectedReturns:
    """Say of what is unknown that nothing forecasts it, where nothing does."""
    absence: Int8[np.ndarray, "1 assets"] = np.where(
        np.array([has_model]), expected.absence, np.int8(Absence.NO_MODEL)
    )
    return expected._replace(absence=absence)
