"""Tuned entry thresholds beside the default ones, on trades of folds not tuned on."""

import numpy as np
import pandas as pd

from fleet_kedro.labels.forward_return import Label, is_positive
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.signals.comparison import compare_rules
from fleet_kedro.signals.return_tuning import DEFAULT_FACTOR

_MEASURES = ("signals", "precision", "net_return")
COLUMNS = [
    *("asset", "rows", "base_rate"),
    *(f"{rule}_{name}" for rule in ("tuned", "default") for name in _MEASURES),
    *("gain", "gain_low", "gain_high"),
]


def compare_factors(
    rows: pd.DataFrame, chosen: pd.DataFrame, label: Label, bootstrap: BlockBootstrap
) -> pd.DataFrame:
    """Pool all folds but the first, whose factors could not be tuned.

    Where a fold's default stays, both rules are the same.

    Parameters
    ----------
    rows
        As `strength_table` leaves them.
    chosen
        As `tune_returns` leaves it.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``, a row per asset and one for the fleet, as `compare_rules` measures
        them; no row if there is one fold only.
    """
    judged = rows.loc[rows["fold"] > rows["fold"].min()].merge(
        chosen[["asset", "fold", "factor"]], on=["asset", "fold"], validate="m:1"
    )
    if judged.empty:
        return pd.DataFrame(columns=COLUMNS)
    strength, factor = judged["strength"].to_numpy(), judged["factor"].to_numpy()
    used = np.where(np.isnan(factor), DEFAULT_FACTOR, factor)
    compared = compare_rules(
        judged.assign(
            is_positive=is_positive(judged["forward_return"].to_numpy(), label),
            is_tuned=strength >= used,
            is_signal=strength >= DEFAULT_FACTOR,
        ),
        label,
        bootstrap,
    )
    as_default = {f"walk_{name}": f"default_{name}" for name in _MEASURES}
    return compared.rename(columns=as_default)[COLUMNS]
