"""What chosen thresholds are worth, in the numbers that are followed."""

from typing import Any

import pandas as pd

from fleet_kedro.reports.followed.digits import few_digits, in_basis_points
from fleet_kedro.reports.json_values import plain
from fleet_kedro.signals.comparison import FLEET

_RETURNS = ("tuned_net", "walk_net", "gain", "gain_low", "gain_high")
_COLUMNS = {"tuned_net": "tuned_net_return", "walk_net": "walk_net_return"}


def follow_tuning(comparison: pd.DataFrame) -> dict[str, Any]:
    """Take the fleet's row from the comparison of tuned thresholds with the walk's own.

    Precisions are fractions; net returns per signal, and what tuning gains with the
    ends of its interval, are in basis points.
    """
    fleet = plain(comparison.set_index("asset").loc[FLEET].to_dict())
    metrics = {
        "precision": fleet["tuned_precision"],
        "walk_precision": fleet["walk_precision"],
        "signals": int(fleet["tuned_signals"]),
        **{
            f"{name}_bps": in_basis_points(fleet[_COLUMNS.get(name, name)])
            for name in _RETURNS
        },
    }
    return few_digits(metrics)
