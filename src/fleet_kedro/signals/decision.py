"""All rules in a row: from forecasts to target weights, for one moment or for years.

Signalling asks for the one moment that is now, a backtest for all that were; both call
`decide`, so what is traded is what was tested. Row ``t`` uses what is known at the
close of bar ``t`` and is traded at the next open.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int8
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.signals.allocation import AllocationLimits, allocate
from fleet_kedro.signals.confidence import (
    ConfidenceWeights,
    confidence_rules,
    confidence_weights,
)
from fleet_kedro.signals.dominance_regime import (
    DominanceRegime,
    Regime,
    dominance_regime,
)
from fleet_kedro.signals.entry_threshold import EntryThreshold, call, entry_thresholds
from fleet_kedro.signals.expectation import (
    Absence,
    ExpectedReturns,
    ForecastSource,
)
from fleet_kedro.signals.levels import LevelSettings
from fleet_kedro.signals.position_score import (
    RiskWeights,
    position_scores,
    position_sizes,
    risk_weights,
)
from fleet_kedro.signals.trade_plan import PlanSettings


class SignalSettings(Config):
    """Every rule between a forecast and a portfolio."""

    forecast: ForecastSource = "both"
    horizon_hours: int = Field(default=12, ge=1, description="H of the forecasts.")
    threshold: EntryThreshold = EntryThreshold()
    confidence: ConfidenceWeights = ConfidenceWeights()
    risk: RiskWeights = RiskWeights()
    regime: DominanceRegime = DominanceRegime()
    allocation: AllocationLimits = AllocationLimits()
    levels: LevelSettings = LevelSettings()
    plan: PlanSettings = PlanSettings()
    max_data_age_hours: float = Field(
        default=2.0, gt=0, description="Oldest close of a candle that is still used."
    )
    clock_tolerance_minutes: float = Field(
        default=1.0, ge=0, description="How far a candle may close in the future."
    )


class DecisionInputs(NamedTuple):
    """What is known at each moment.

    Attributes
    ----------
    assets
        The fleet; its order is that of all columns.
    expected
        Forecasts of the chosen source.
    volatility_ratio
        Trailing volatility over the reference's; NaN where unknown.
    usdt_dominance_pct, btc_dominance_pct
        Shares of the whole market, in percent; NaN where unknown.
    tuned_threshold
        Thresholds that were found on the past of each moment; NaN where there is none.
    """

    assets: tuple[str, ...]
    expected: ExpectedReturns
    volatility_ratio: Float[np.ndarray, "moments assets"]
    usdt_dominance_pct: Float[np.ndarray, " moments"]
    btc_dominance_pct: Float[np.ndarray, " moments"]
    tuned_threshold: Float[np.ndarray, "moments assets"] | None = None


class Decision(NamedTuple):
    """What was decided, and every number that it came from.

    Attributes
    ----------
    expected
        The forecasts that were used.
    threshold
        Fractions; NaN where unknown.
    direction, is_strong, rule
        Codes of `Direction`; STRONG or not; codes of `ConfidenceRule`.
    score
        Position scores after the season's tilt; only their ratios matter.
    position_size
        Strength of each signal on its own, 0 to 1.
    weight
        Target share of the capital, negative when short; the rest is cash.
    regime
        What dominance did.
    """

    expected: ExpectedReturns
    threshold: Float[np.ndarray, "moments assets"]
    direction: Int8[np.ndarray, "moments assets"]
    is_strong: Bool[np.ndarray, "moments assets"]
    rule: Int8[np.ndarray, "moments assets"]
    score: Float[np.ndarray, "moments assets"]
    position_size: Float[np.ndarray, "moments assets"]
    weight: Float[np.ndarray, "moments assets"]
    regime: Regime


def decide(inputs: DecisionInputs, settings: SignalSettings) -> Decision:
    """Apply every rule to every moment."""
    expected, threshold = _judgeable(inputs, settings)
    called = call(expected.expected_return, threshold, settings.threshold)
    rule = confidence_rules(called, expected, settings.confidence)
    regime = dominance_regime(
        inputs.usdt_dominance_pct,
        inputs.btc_dominance_pct,
        inputs.assets,
        settings.regime,
    )
    confidence = confidence_weights(rule, settings.confidence)
    risk = risk_weights(inputs.volatility_ratio, inputs.assets, settings.risk)
    score = regime.tilt * position_scores(
        expected.expected_return, called.direction, confidence, risk
    )
    opened = np.where(opens_position(called.direction, settings), called.direction, 0)
    return Decision(
        expected,
        threshold,
        called.direction,
        called.is_strong,
        rule,
        score,
        position_sizes(
            expected.expected_return,
            settings.threshold.strong_multiple * threshold,
            opened,
            confidence * risk,
        ),
        allocate(score, regime.exposure, settings.allocation),
        regime,
    )


def opens_position(
    direction: Int8[np.ndarray, "..."], settings: SignalSettings
) -> Bool[np.ndarray, "..."]:
    """Mark the signals that ask for a position; a SELL only where one may short."""
    return (direction > 0) | ((direction < 0) & settings.allocation.allows_short)


def _judgeable(
    inputs: DecisionInputs, settings: SignalSettings
) -> tuple[ExpectedReturns, Float[np.ndarray, "moments assets"]]:
    """Return forecasts and thresholds; a forecast without a threshold says why."""
    threshold = entry_thresholds(
        inputs.volatility_ratio,
        inputs.assets,
        settings.threshold,
        inputs.tuned_threshold,
    )
    is_unjudged = np.isnan(threshold) & (inputs.expected.absence == Absence.NONE)
    absence = np.where(
        is_unjudged, np.int8(Absence.NO_THRESHOLD), inputs.expected.absence
    )
    return inputs.expected._replace(absence=absence), threshold
