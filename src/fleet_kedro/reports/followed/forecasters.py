"""The ensemble's errors, in the numbers that are followed."""

from typing import Any

import pandas as pd

from fleet_kedro.reports.followed.digits import few_digits
from fleet_kedro.reports.json_values import plain

_ENSEMBLE = "ensemble"
_NOT_SINGLE = (_ENSEMBLE, "zero")
_MEGABYTE = 1e6


def follow_forecasters(summary: dict[str, Any]) -> dict[str, Any]:
    """Take the means over the assets from what the forecasters' summary tells.

    For each horizon: root mean square error, skill beside the forecast of no move, and
    coverage of the ensemble, and the skill of the best single model, which is known in
    hindsight only. Besides, how many models the store holds and their megabytes.
    """
    scores = pd.DataFrame(summary["scores"])
    horizons = {
        f"{hours}h": _of_horizon(rows)
        for hours, rows in scores.groupby("horizon", sort=True)
    }
    store = summary["store"]
    metrics = {
        **horizons,
        "models": store["models"],
        "store_mb": store["n_bytes"] / _MEGABYTE,
    }
    return few_digits(plain(metrics))


def _of_horizon(rows: pd.DataFrame) -> dict[str, float]:
    means = rows.groupby("model")[["rmse", "skill", "coverage"]].mean()
    single = means.drop(index=list(_NOT_SINGLE), errors="ignore")
    return {
        **{str(name): value for name, value in means.loc[_ENSEMBLE].items()},
        "best_single_skill": single["skill"].max(),
    }
