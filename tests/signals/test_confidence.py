import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.confidence import (
    CONFIDENCE_OF_RULE,
    Confidence,
    ConfidenceRule,
    ConfidenceWeights,
    confidence_rules,
    confidence_weights,
)
from fleet_kedro.signals.entry_threshold import EntryThreshold, call
from fleet_kedro.signals.expectation import ExpectedReturns

NAN = np.nan
THRESHOLD = 0.003
CLEAR, SPANS, NONE = "clear", "spans", "none"


def rule_of(
    expected: float, low: float, high: float, settings: ConfidenceWeights
) -> ConfidenceRule:
    told = ExpectedReturns.of(*(np.array([[v]]) for v in (expected, low, high)))
    called = call(told.expected_return, np.array([[THRESHOLD]]), EntryThreshold())
    return ConfidenceRule(confidence_rules(called, told, settings)[0, 0])


def around(expected: float, kind: str) -> tuple[float, float, float]:
    """A forecast with an interval that is clear of zero, holds it, or is unknown."""
    half = {CLEAR: 0.5 * abs(expected), SPANS: 2 * abs(expected) + 1e-4, NONE: NAN}
    return expected, expected - half[kind], expected + half[kind]


class TestTruthTable:
    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize(
        ("size", "kind", "rule", "confidence"),
        [
            (2.5, CLEAR, "STRONG_CLEAR_OF_ZERO", "HIGH"),
            (2.5, SPANS, "STRONG_SPANS_ZERO", "MEDIUM"),
            (2.5, NONE, "STRONG_NO_INTERVAL", "HIGH"),
            (1.5, CLEAR, "REACHED_CLEAR_OF_ZERO", "MEDIUM"),
            (1.5, SPANS, "REACHED_SPANS_ZERO", "LOW"),
            (1.5, NONE, "REACHED_NO_INTERVAL", "MEDIUM"),
            (0.5, CLEAR, "HOLD", "LOW"),
            (0.5, SPANS, "HOLD", "LOW"),
            (0.5, NONE, "HOLD", "LOW"),
        ],
    )
    def test_cell(
        self, sign: int, size: float, kind: str, rule: str, confidence: str
    ) -> None:
        got = rule_of(*around(sign * size * THRESHOLD, kind), ConfidenceWeights())

        assert got.name == rule
        assert CONFIDENCE_OF_RULE[got] == confidence

    @pytest.mark.parametrize("size", [2.5, 1.5, 0.5])
    def test_who_needs_an_interval_takes_none_for_zero_inside(
        self, size: float
    ) -> None:
        strict = ConfidenceWeights(needs_interval=True)
        expected = size * THRESHOLD

        assert rule_of(*around(expected, NONE), strict) == rule_of(
            *around(expected, SPANS), strict
        )

    def test_an_unknown_forecast_is_a_hold(self) -> None:
        assert rule_of(NAN, NAN, NAN, ConfidenceWeights()) == ConfidenceRule.HOLD

    def test_an_interval_on_the_wrong_side_is_not_clear(self) -> None:
        # A skewed interval may lie beyond zero although the forecast does not.
        got = rule_of(0.01, -0.02, -0.01, ConfidenceWeights())
        assert got == ConfidenceRule.STRONG_SPANS_ZERO

    def test_every_rule_has_a_word(self) -> None:
        assert set(CONFIDENCE_OF_RULE) == set(ConfidenceRule)


class TestProperties:
    @settings(max_examples=50, deadline=None)
    @given(
        expected=st.floats(-0.05, 0.05),
        ends=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
        needs_interval=st.booleans(),
    )
    def test_high_is_always_strong_and_a_hold_always_low(
        self, expected: float, ends: tuple[float, float], needs_interval: bool
    ) -> None:
        settings = ConfidenceWeights(needs_interval=needs_interval)
        word = CONFIDENCE_OF_RULE[rule_of(expected, *ends, settings)]

        if abs(expected) < THRESHOLD:
            assert word == Confidence.LOW
        if abs(expected) <= 2 * THRESHOLD:
            assert word != Confidence.HIGH

    def test_each_rule_weighs_what_its_word_does(self) -> None:
        rules = np.array([[rule.value for rule in ConfidenceRule]], dtype=np.int8)
        got = confidence_weights(rules, ConfidenceWeights())
        worth = {"HIGH": 1.0, "MEDIUM": 0.6, "LOW": 0.3}

        assert got[0].tolist() == [
            worth[CONFIDENCE_OF_RULE[rule]] for rule in ConfidenceRule
        ]


def test_less_confidence_must_not_weigh_more() -> None:
    with pytest.raises(ValidationError, match="do not rise"):
        ConfidenceWeights(medium=0.2)
