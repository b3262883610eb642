"""Numbers that were measured, in the form in which they are written down."""

import math
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_KEPT_DIGITS = 12  # below them, machines differ in how they add up


def _rounded(value: float) -> float:
    return float(f"{value:.{_KEPT_DIGITS}g}")


def _nothing_for_nan(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


Measured = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_rounded)]
"""A finite number, kept to twelve digits."""

MeasuredOrNot = Annotated[Measured | None, BeforeValidator(_nothing_for_nan)]
"""The same; NaN becomes None."""
