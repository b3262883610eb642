"""How a number is written: its unit, its digits, and what stands for no number."""

import math
from collections.abc import Callable

NO_VALUE = "n/a"


def percent(fraction: float, digits: int = 1) -> str:
    """Write a fraction in percent: 0.578 is ``57.8%``."""
    return f"{fraction:.{digits}%}" if math.isfinite(fraction) else NO_VALUE


def points(fraction: float) -> str:
    """Write a difference of shares in percentage points: 0.022 is ``+2.2``."""
    return _signed(100 * fraction)


def basis_points(fraction: float) -> str:
    """Write a return in hundredths of a percent: 0.0012 is ``+12.0``."""
    return _signed(1e4 * fraction)


def decimals(value: float, digits: int) -> str:
    """Write a plain number."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NO_VALUE


def counted(count: int, noun: str) -> str:
    """Write how many there are of something: ``1 asset``, ``1,100 assets``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def interval(low: float, high: float, write: Callable[[float], str]) -> str:
    """Write both ends in brackets; nothing where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{write(low)}, {write(high)}]"


def _signed(value: float) -> str:
    # Adding zero turns the negative zero that rounding may leave into a plain one.
    return f"{round(value, 1) + 0.0:+.1f}" if math.isfinite(value) else NO_VALUE


def in_unit(fraction: float, unit: str) -> str:
    """Write a fraction as a criterion's unit asks, unit included."""
    if unit == "points":
        return f"{points(fraction)} points"
    if unit == "basis points":
        return f"{basis_points(fraction)} bp"
    return percent(fraction)
