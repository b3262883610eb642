"""Tables and values as JSON has them."""

import math
from typing import Any

import numpy as np
import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as a mapping for each row, its values as they are."""
    return [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def plain(value: Any) -> Any:  # noqa: PLR0911 - a return a type
    """Turn every value into one that JSON has; what is not finite becomes null."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case pd.Timestamp():
            return None if value is pd.NaT else value.tz_convert("UTC").isoformat()
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case _:
            return value
