"""The brain, its rivals and its ablations in one table, with intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from sklearn.metrics import roc_auc_score

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.classification import log_loss
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.validation.rivals import (
    BRAIN_IN_HINDSIGHT,
    VOLATILITY_ONLY,
)

_COUNTS = ("signals", "hits", "net")


def compare(
    forecasts: pd.DataFrame,
    picks: Mapping[str, Bool[np.ndarray, " rows"]],
    scores: Mapping[str, Float[np.ndarray, " rows"]],
    round_trip_cost: float,
    bootstrap: BlockBootstrap,
) -> pd.DataFrame:
    """Measure everybody's picks; means over the assets.

    Returns
    -------
    pandas.DataFrame
        A row per pick: ``name``, ``signals``, ``precision``, ``recall``, ``lift``,
        ``lift_over_volatility``, ``net_return`` and ``brain_gain``, the precision that
        the brain, picked in the same way, has above this one; the last four with
        ``*_low`` and ``*_high``. Days are drawn for all together, so a difference is
        paired. ``log_loss`` and ``auc`` over all rows, NaN for who gives no
        probability.
    """
    sums = _daily_sums(forecasts, picks, round_trip_cost)
    drawn = bootstrap.resampled_sums(sums.reshape(len(sums), -1))
    seen = _measured(sums.sum(axis=0)[np.newaxis], list(picks))
    spread = _measured(drawn.reshape(-1, *sums.shape[1:]), list(picks))
    outcome = forecasts["is_positive"].to_numpy()
    rows = []
    for place, (name, pick) in enumerate(picks.items()):
        row: dict[str, object] = {"name": name, "signals": int(pick.sum())}
        for what, values in seen.items():
            row[what] = float(values[0, place])
            if what not in {"precision", "recall"}:
                row[f"{what}_low"], row[f"{what}_high"] = bootstrap.interval(
                    spread[what][:, place]
                )
        if name in scores:
            row["log_loss"] = float(log_loss(scores[name], outcome).mean())
            row["auc"] = _area_under_curve(scores[name], outcome)
        rows.append(row)
    return pd.DataFrame(rows)


def _daily_sums(
    forecasts: pd.DataFrame,
    picks: Mapping[str, Bool[np.ndarray, " rows"]],
    round_trip_cost: float,
) -> Float[np.ndarray, "days columns assets"]:
    """Add up rows, positives, and each pick's signals, hits and net return."""
    positive = forecasts["is_positive"].to_numpy()
    net = net_return(forecasts["forward_return"].to_numpy(), round_trip_cost)
    columns = [np.ones(len(forecasts)), positive]
    for pick in picks.values():
        columns += [pick, pick & positive, np.where(pick, net, 0.0)]
    day, days = pd.factorize(forecasts["timestamp"].dt.floor("D"), sort=True)
    asset, assets = pd.factorize(forecasts["asset"], sort=True)
    cell = day * len(assets) + asset
    n_cells = len(days) * len(assets)
    return np.stack(
        [
            np.bincount(cell, column.astype(np.float64), n_cells).reshape(
                len(days), len(assets)
            )
            for column in columns
        ],
        axis=1,
    )


def _measured(
    sums: Float[np.ndarray, "draws columns assets"], names: list[str]
) -> dict[str, Float[np.ndarray, "draws names"]]:
    rows, positives = sums[:, np.newaxis, 0], sums[:, np.newaxis, 1]
    by_pick = sums[:, 2:].reshape(len(sums), len(names), len(_COUNTS), -1)
    signals, hits, net = np.moveaxis(by_pick, 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = hits / signals
        volatility = precision[:, [names.index(VOLATILITY_ONLY)]]
        brain = precision[:, [names.index(BRAIN_IN_HINDSIGHT)]]
        by_asset = {
            "precision": precision,
            "recall": hits / positives,
            "lift": precision - positives / rows,
            "lift_over_volatility": precision - volatility,
            "net_return": net / signals,
            "brain_gain": brain - precision,
        }
    return {what: mean_of_known(values) for what, values in by_asset.items()}


def mean_of_known(values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*mean"]:
    """Average over the last axis, the assets that have a value; NaN where none has."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=-1)
    mean = total / np.maximum(known.sum(axis=-1), 1)
    return np.asarray(np.where(known.any(axis=-1), mean, np.nan))


def _area_under_curve(
    score: Float[np.ndarray, " rows"], is_positive: Bool[np.ndarray, " rows"]
) -> float:
    if is_positive.all() or not is_positive.any():
        return float("nan")
    return float(roc_auc_score(is_positive, score))
