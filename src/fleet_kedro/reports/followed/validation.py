"""The verdict on the global brain, in the numbers that are followed."""

from typing import Any

import pandas as pd

from fleet_kedro.reports.figures.calibration import reliability
from fleet_kedro.reports.followed.digits import (
    few_digits,
    in_basis_points,
    table_of_few_digits,
)

_SHARES = (
    *("precision", "precision_low", "base_rate", "lift", "lift_low"),
    *("lift_over_volatility", "lift_over_volatility_low", "recall"),
)
_BY_ASSET = ["asset", "precision", "base_rate", "lift", "lift_over_volatility"]


def follow_validation(
    forecasts: pd.DataFrame, summary: dict[str, Any]
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Take from a validation what is followed.

    Parameters
    ----------
    forecasts
        Out of sample, scored rows only: ``probability`` and ``is_positive``.
    summary
        The validation as ``summarise`` tells it to machines.

    Returns
    -------
    tuple
        The metrics, shares as fractions and net returns per signal in basis points;
        a row per asset with its precision beside base rate and lifts; and the
        reliability of the probabilities, a row per bin.
    """
    overall, overfitting = summary["overall"], summary["overfitting"]
    criteria = summary["verdict"]["criteria"]
    metrics = {
        "passed": summary["verdict"]["passed"],
        "criteria_passed": sum(criterion["passed"] for criterion in criteria),
        **{name: overall[name] for name in _SHARES},
        "net_bps": in_basis_points(overall["net_return"]),
        "net_bps_low": in_basis_points(overall["net_return_low"]),
        "annual_sharpe": overfitting["annual_sharpe"],
        "deflated_sharpe": overfitting["deflated_sharpe"],
        "probability_of_overfitting": overfitting["probability_of_overfitting"],
    }
    bins = reliability(forecasts["probability"], forecasts["is_positive"])
    return (
        few_digits(metrics),
        table_of_few_digits(pd.DataFrame(summary["assets"])[_BY_ASSET]),
        table_of_few_digits(bins),
    )
