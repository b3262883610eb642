"""One moment, judged: a signal for every asset, and the portfolio that they make.

What cannot be trusted is left out, never guessed: a stale or missing candle, a forecast
that is no number, a model that is not there, a clock that is ahead. Such an asset is a
HOLD that says why, and the others go on. Unknown dominance leaves the regime neutral.
Only when no asset at all can be judged is there no signal: `NothingToJudge`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.signals.allocation import cash
from fleet_kedro.signals.confidence import CONFIDENCE_OF_RULE, ConfidenceRule
from fleet_kedro.signals.decision import (
    Decision,
    DecisionInputs,
    SignalSettings,
    decide,
    opens_position,
)
from fleet_kedro.signals.dominance_regime import Fear, Regime, Season
from fleet_kedro.signals.entry_threshold import Direction
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.explanation import explain, explain_weight
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.signal_shape import (
    CASH,
    SCHEMA_VERSION,
    AssetRegime,
    AssetSignal,
    Interval,
    Latent,
    Levels,
    PortfolioSignal,
)
from fleet_kedro.signals.soundness import (
    AssetFacts,
    data_age_hours,
    describe,
    find_absences,
)
from fleet_kedro.signals.trade_plan import plan_trades


class NothingToJudge(Exception):
    """No asset of the fleet can be judged; the last good signal stays in force."""


def compose_signal(
    now: datetime,
    inputs: DecisionInputs,
    facts: Mapping[str, AssetFacts],
    settings: SignalSettings,
    levels: PriceLevels | None = None,
) -> PortfolioSignal:
    """Judge one moment.

    Parameters
    ----------
    now
        When the signal is made, with its time zone.
    inputs
        Arrays of one row: the newest that is known.
    facts
        By asset; one that is missing here has no candle.
    levels
        Support and resistance, likewise one row; None where they are not wanted.

    Raises
    ------
    NothingToJudge
        If not one asset can be judged; says for each of them why.
    """
    absence = find_absences(facts, inputs.assets, now, settings)
    sound = inputs._replace(expected=inputs.expected.without(absence))
    judged = _Judged(now, inputs.assets, facts, settings, decide(sound, settings))
    judged.refuse_if_empty()
    weights = _rounded_down(judged.decision.weight[0])
    gains = weights * np.nan_to_num(judged.decision.expected.expected_return[0])
    return PortfolioSignal(
        schema_version=SCHEMA_VERSION,
        timestamp=now,
        horizon_hours=settings.horizon_hours,
        individual_signals=judged.signals(levels),
        portfolio_allocation={
            **dict(zip(inputs.assets, weights.tolist(), strict=True)),
            CASH: float(cash(weights[np.newaxis])[0]),
        },
        expected_return_12h=float(gains.sum()),
        active_positions=int((weights != 0).sum()),
        notices=_notices(judged.decision.regime, settings),
    )


class _Judged(NamedTuple):
    """A moment with its decision, ready to be told asset by asset."""

    now: datetime
    assets: tuple[str, ...]
    facts: Mapping[str, AssetFacts]
    settings: SignalSettings
    decision: Decision

    def refuse_if_empty(self) -> None:
        if (self.decision.expected.absence == Absence.NONE).any():
            return
        reasons = " ".join(self._problem(column) for column in self._columns)
        raise NothingToJudge(
            f"None of {len(self.assets)} assets can be judged, so there is no signal. "
            f"{reasons}"
        )

    def signals(self, levels: PriceLevels | None) -> dict[str, AssetSignal]:
        told = [None] * len(self.assets) if levels is None else self._levels(levels)
        return {
            self.assets[column]: self._signal(column, told[column])
            for column in self._columns
        }

    @property
    def _columns(self) -> range:
        return range(len(self.assets))

    def _signal(self, column: int, levels: Levels | None) -> AssetSignal:
        facts = self.facts.get(self.assets[column])
        decision, regime = self.decision, self.decision.regime
        rule = ConfidenceRule(decision.rule[0, column])
        absence = Absence(decision.expected.absence[0, column])
        expected = _value(decision.expected.expected_return[0, column])
        price = self._prices[0, column]
        return AssetSignal(
            signal=Direction(decision.direction[0, column]),
            confidence=CONFIDENCE_OF_RULE[rule],
            expected_return=expected,
            position_size=float(decision.position_size[0, column]),
            current_price=_value(price),
            target_price=None if expected is None else float(price * (1 + expected)),
            threshold=_value(decision.threshold[0, column]),
            interval=_interval(decision.expected, column),
            strength=_strength(decision, column),
            rule=rule,
            regime=_asset_regime(regime, column),
            levels=levels,
            gate_weights=dict(facts.gate_weights) if facts else {},
            top_latents=tuple(
                Latent(name=name, value=value)
                for name, value in (facts.top_latents if facts else ())
            ),
            data_age_hours=data_age_hours(facts, self.now),
            problem=absence,
            reason=self._reason(column),
        )

    def _reason(self, column: int) -> str:
        decision = self.decision
        if decision.expected.absence[0, column] != Absence.NONE:
            return self._problem(column)
        direction = Direction(decision.direction[0, column])
        sentences = [
            explain(
                direction,
                ConfidenceRule(decision.rule[0, column]),
                float(decision.expected.expected_return[0, column]),
                float(decision.threshold[0, column]),
                self.settings.threshold.strong_multiple,
            ),
            explain_weight(
                direction,
                float(decision.weight[0, column]),
                self.settings.allocation.allows_short,
            ),
        ]
        return " ".join(filter(None, sentences))

    def _problem(self, column: int) -> str:
        asset = self.assets[column]
        absence = Absence(self.decision.expected.absence[0, column])
        facts = self.facts.get(asset)
        said = describe(absence, asset, facts, self.now, self.settings)
        return f"{said} {facts.remark}".rstrip() if facts else said

    @property
    def _prices(self) -> Float[np.ndarray, "1 assets"]:
        """Return the last closes; NaN for one that is no price."""
        known = [
            facts.price if facts and 0 < facts.price < np.inf else np.nan
            for asset in self.assets
            for facts in [self.facts.get(asset)]
        ]
        return np.array([known])

    def _levels(self, levels: PriceLevels) -> list[Levels | None]:
        direction = self.decision.direction
        opened = np.where(opens_position(direction, self.settings), direction, 0)
        plan = plan_trades(
            self._prices, opened.astype(np.int8), levels, self.settings.plan
        )
        return [
            Levels(
                support=_value(levels.support[0, column]),
                support_touches=int(levels.support_touches[0, column]),
                resistance=_value(levels.resistance[0, column]),
                resistance_touches=int(levels.resistance_touches[0, column]),
                **{
                    name: _value(values[0, column])
                    for name, values in plan._asdict().items()
                },
            )
            for column in self._columns
        ]


def _value(number: float) -> float | None:
    """Return a plain number, or None for one that is not finite."""
    return float(number) if np.isfinite(number) else None


def _interval(expected: ExpectedReturns, column: int) -> Interval | None:
    low, high = _value(expected.low[0, column]), _value(expected.high[0, column])
    if low is None or high is None:
        return None
    return Interval(low=low, high=high)


def _strength(decision: Decision, column: int) -> Literal["STRONG", "NORMAL", "NONE"]:
    if decision.direction[0, column] == Direction.HOLD:
        return "NONE"
    return "STRONG" if decision.is_strong[0, column] else "NORMAL"


def _asset_regime(regime: Regime, column: int) -> AssetRegime:
    return AssetRegime(
        fear=Fear(regime.fear[0]),
        season=Season(regime.season[0]),
        exposure=float(regime.exposure[0]),
        tilt=float(regime.tilt[0, column]),
    )


def _rounded_down(
    weight: Float[np.ndarray, " assets"],
) -> Float[np.ndarray, " assets"]:
    """Cut weights to six digits, so that rounding never eats into the cash."""
    return np.trunc(weight * 1e6 + np.sign(weight) * 1e-3) / 1e6


def _notices(regime: Regime, settings: SignalSettings) -> tuple[str, ...]:
    """Say what holds for all assets and is not as usual."""
    if not settings.regime.is_used:
        return ("Dominance is switched off, so the regime is neutral.",)
    notices = []
    if regime.fear[0] == Fear.UNKNOWN:
        notices.append("USDT.D is unknown, so exposure is not scaled by fear.")
    if regime.season[0] == Season.UNKNOWN:
        notices.append("BTC.D is unknown, so no weight is shifted to or from Bitcoin.")
    return tuple(notices)
