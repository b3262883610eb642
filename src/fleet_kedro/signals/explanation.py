"""A decision about one asset in plain words."""

from fleet_kedro.signals.confidence import ConfidenceRule
from fleet_kedro.signals.entry_threshold import Direction

_INTERVAL = {
    "SPANS_ZERO": "its interval holds zero",
    "CLEAR_OF_ZERO": "its interval is clear of zero",
    "NO_INTERVAL": "it comes without an interval, so its size decides alone",
}


def explain(
    direction: Direction,
    rule: ConfidenceRule,
    expected_return: float,
    threshold: float,
    strong_multiple: float,
) -> str:
    """Say how the forecast compares with its threshold, and what the interval adds."""
    forecast = f"The forecast of {expected_return:+.2%}"
    if direction == Direction.HOLD:
        return f"{forecast} is under the threshold of {threshold:.2%}."
    size, _, interval = rule.name.partition("_")
    reach = "reaches"
    if size == "STRONG":
        reach = f"is more than {strong_multiple:g} times"
    return (
        f"{forecast} {reach} the threshold of {threshold:.2%}; {_INTERVAL[interval]}."
    )


def explain_weight(direction: Direction, weight: float, allows_short: bool) -> str:
    """Say what the portfolio makes of a signal; nothing to say about a HOLD."""
    if direction == Direction.HOLD:
        return ""
    if weight:
        side = "short" if weight < 0 else "long"
        return f"It gets {abs(weight):.1%} of the capital, {side}."
    if direction == Direction.SELL and not allows_short:
        return "Nothing is held of it: a SELL is an exit."
    return (
        "There is no room for it: the smallest position exceeds what better scores "
        "leave to invest."
    )
