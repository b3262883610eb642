"""How sure a signal is of itself: one word, the rule that gave it, and its weight.

With the expected return ``r``, the threshold ``θ`` and the interval ``[l, h]``:

====================  =============  ==========  ===========
size                  clear of zero  spans zero  no interval
====================  =============  ==========  ===========
``|r| > 2 θ``         HIGH           MEDIUM      HIGH
``θ <= |r| <= 2 θ``   MEDIUM         LOW         MEDIUM
HOLD                  LOW            LOW         LOW
====================  =============  ==========  ===========

"2" is ``strong_multiple`` of the thresholds. An interval is clear of zero when it lies
on the forecast's side of it: ``l > 0`` for a BUY, ``h < 0`` for a SELL. A forecast that
comes without an interval is judged by its size alone, unless ``needs_interval`` asks
for proof: then the last column equals the one before it. So a HOLD is never more than
LOW, and HIGH always is a STRONG signal.
"""

from enum import IntEnum, StrEnum

import numpy as np
from jaxtyping import Float, Int8
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.signals.entry_threshold import Call, Direction
from fleet_kedro.signals.expectation import ExpectedReturns


class Confidence(StrEnum):
    """Three words for how much a signal counts."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class ConfidenceRule(IntEnum):
    """The cell of the table that fired: size first, then the interval."""

    HOLD = 0
    REACHED_SPANS_ZERO = 1
    REACHED_CLEAR_OF_ZERO = 2
    REACHED_NO_INTERVAL = 3
    STRONG_SPANS_ZERO = 4
    STRONG_CLEAR_OF_ZERO = 5
    STRONG_NO_INTERVAL = 6


CONFIDENCE_OF_RULE = {
    ConfidenceRule.HOLD: Confidence.LOW,
    ConfidenceRule.REACHED_SPANS_ZERO: Confidence.LOW,
    ConfidenceRule.REACHED_CLEAR_OF_ZERO: Confidence.MEDIUM,
    ConfidenceRule.REACHED_NO_INTERVAL: Confidence.MEDIUM,
    ConfidenceRule.STRONG_SPANS_ZERO: Confidence.MEDIUM,
    ConfidenceRule.STRONG_CLEAR_OF_ZERO: Confidence.HIGH,
    ConfidenceRule.STRONG_NO_INTERVAL: Confidence.HIGH,
}
"""The table of the module, cell by cell."""

_SPANS, _CLEAR, _NONE = 0, 1, 2
_N_INTERVALS = 3


class ConfidenceWeights(Config):
    """What each word is worth in a score, and whether an interval is a must."""

    high: float = Field(default=1.0, gt=0, le=1)
    medium: float = Field(default=0.6, gt=0, le=1)
    low: float = Field(default=0.3, gt=0, le=1)
    needs_interval: bool = Field(
        default=False, description="Take an unknown interval for one that spans zero."
    )

    @model_validator(mode="after")
    def _is_ordered(self) -> "ConfidenceWeights":
        if not self.low <= self.medium <= self.high:
            raise ValueError(
                f"low {self.low}, medium {self.medium} and high {self.high} do not "
                "rise; more confidence must not weigh less."
            )
        return self


def confidence_rules(
    called: Call, expected: ExpectedReturns, settings: ConfidenceWeights
) -> Int8[np.ndarray, "moments assets"]:
    """Return the rule that fires, as codes of `ConfidenceRule`."""
    is_clear = np.where(
        called.direction == Direction.BUY, expected.low > 0, expected.high < 0
    )
    interval = np.where(is_clear, _CLEAR, _SPANS)
    if not settings.needs_interval:
        interval = np.where(np.isnan(expected.low), _NONE, interval)
    rule = 1 + _N_INTERVALS * called.is_strong + interval
    held = called.direction == Direction.HOLD
    return np.where(held, ConfidenceRule.HOLD, rule).astype(np.int8)


def confidence_weights(
    rule: Int8[np.ndarray, "moments assets"], settings: ConfidenceWeights
) -> Float[np.ndarray, "moments assets"]:
    """Return the weight of each rule's word."""
    worth = {
        Confidence.HIGH: settings.high,
        Confidence.MEDIUM: settings.medium,
        Confidence.LOW: settings.low,
    }
    of_rule = np.array([worth[CONFIDENCE_OF_RULE[each]] for each in ConfidenceRule])
    return of_rule[rule]
