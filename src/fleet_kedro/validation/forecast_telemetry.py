"""What an asset's forecasters were worth: each number beside the zero forecast's."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.forecast_errors import coverage, diebold_mariano
from fleet_kedro.validation.forecast_ensemble import EnsembleWalk
from fleet_kedro.validation.forecast_skill import measure_skill

ENSEMBLE = "ensemble"
ZERO = "zero"
_WILD_SHARE = 0.1


def measure_forecasters(
    asset: str,
    walks: Mapping[str, pd.DataFrame],
    ensemble: EnsembleWalk,
    bootstrap: BlockBootstrap,
) -> pd.DataFrame:
    """Measure every model, the ensemble and the zero forecast, on the same rows.

    These are the rows of scored folds that the ensemble forecast and whose outcome is
    known at the horizon in question.

    Parameters
    ----------
    walks
        By model, as `walk_forecaster` leaves them; the ones behind ``ensemble``.

    Returns
    -------
    pandas.DataFrame
        A row per horizon and model, ``ensemble`` and ``zero`` last: ``asset``,
        ``model``, ``horizon``, ``rows``; ``rmse``, ``zero_rmse`` (of the log return),
        ``rmse_price``, ``zero_rmse_price`` (in quote currency); ``skill`` with its
        interval ``skill_low`` to ``skill_high``, ``r_squared``; ``dm_statistic``,
        ``dm_p_value``; ``calls``, ``directional_accuracy``, ``majority_share``. For
        the ensemble also ``coverage`` of its intervals, ``coverage_wild`` among the
        tenth of its rows with the highest volatility, ``coverage_calm`` among that
        with the lowest, and ``interval_width``, the mean from end to end; NaN for the
        others, and wherever there is nothing to measure.
    """
    judged = ensemble.forecasts.loc[ensemble.forecasts["fold"] >= 1]
    measured: list[dict[str, object]] = []
    for horizon in ensemble.production["horizon"]:
        column = f"forecast_{horizon}h"
        rows = judged.loc[judged[f"forward_log_return_{horizon}h"].notna()]
        said = {
            model: _on_rows(walk.set_index("timestamp")[column], rows)
            for model, walk in walks.items()
        } | {ENSEMBLE: rows[column].to_numpy(), ZERO: np.zeros(len(rows))}
        for model, forecast in said.items():
            measured.append(
                {"asset": asset, "model": model, "horizon": int(horizon)}
                | _measured(forecast, rows, int(horizon), bootstrap)
                | (_covered(rows, int(horizon)) if model == ENSEMBLE else {})
            )
    return pd.DataFrame(measured)


def _on_rows(forecast: pd.Series, rows: pd.DataFrame) -> Float[np.ndarray, " rows"]:
    return forecast.reindex(rows["timestamp"]).to_numpy(dtype=np.float64)


def _measured(
    forecast: Float[np.ndarray, " rows"],
    rows: pd.DataFrame,
    horizon: int,
    bootstrap: BlockBootstrap,
) -> dict[str, object]:
    """Measure the rows on which the model has a forecast."""
    has_forecast = np.isfinite(forecast)
    told, known = forecast[has_forecast], rows.loc[has_forecast]
    errors, low, high = measure_skill(told, known, horizon, bootstrap)
    outcome = known[f"forward_log_return_{horizon}h"].to_numpy()
    test = diebold_mariano(told, outcome, horizon)
    return {
        **errors._asdict(),
        "skill": errors.skill,
        "skill_low": low,
        "skill_high": high,
        "r_squared": errors.r_squared,
        "dm_statistic": test.statistic,
        "dm_p_value": test.p_value,
    }


def _covered(rows: pd.DataFrame, horizon: int) -> dict[str, object]:
    outcome, low, high = (
        rows[f"{name}_{horizon}h"].to_numpy()
        for name in ("forward_log_return", "low", "high")
    )
    rank = rows["volatility"].rank(pct=True).to_numpy()

    def among(chosen: Bool[np.ndarray, " rows"]) -> float:
        return coverage(outcome[chosen], low[chosen], high[chosen])

    width = high - low
    return {
        "coverage": among(np.ones(len(rows), dtype=bool)),
        "coverage_wild": among(rank > 1 - _WILD_SHARE),
        "coverage_calm": among(rank <= _WILD_SHARE),
        "interval_width": float(pd.Series(width).mean()),
    }
