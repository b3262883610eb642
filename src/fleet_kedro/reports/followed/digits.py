"""How many digits of a followed number are written.

Six are more than any of them is known to, and few enough that the last bits, in which
two kinds of machine differ, hardly ever show as a change.
"""

from typing import Any

import pandas as pd

KEPT_DIGITS = 6
BASIS_POINTS = 1e4


def few_digits(value: Any) -> Any:
    """Round every number below ``value`` to six digits that count."""
    match value:
        case dict():
            return {key: few_digits(item) for key, item in value.items()}
        case float():
            return float(f"{value:.{KEPT_DIGITS}g}")
        case _:
            return value


def in_basis_points(fraction: float | None) -> float | None:
    """Turn a fraction into basis points; what is not known stays so."""
    return None if fraction is None else fraction * BASIS_POINTS


def table_of_few_digits(table: pd.DataFrame) -> pd.DataFrame:
    """Round every number of a table; keep what is none."""
    return table.apply(lambda column: column.map(few_digits))
