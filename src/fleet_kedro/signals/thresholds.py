"""From which rank on a forecast becomes a signal, for each asset.

A probability of 0.52 from a brain that was trained on one year is bolder than the same
number from one that was trained on two, so a threshold in probability that was right
for the last brain may never, or always, be reached by the next. A forecast is therefore
ranked among the asset's own forecasts of the last weeks, as they were issued, and the
threshold is a rank. For the first ``rank_days`` after a new brain takes over, forecasts
of two brains stand in one ranking. It looks at forecasts only, never at an outcome.

A threshold is chosen on out-of-sample forecasts of the past only: forecasts that were
made before their outcome, whose outcome is known before the fold that the threshold is
used in.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from pydantic import Field, model_validator

from fleet_kedro.config import Config


class ThresholdSettings(Config):
    """How forecasts are ranked, and which thresholds are tried on their ranks."""

    rank_days: int = Field(ge=1, description="Trailing forecasts that a rank spans.")

    lowest_recall: float = Field(gt=0, lt=1, description="Fewest positives to catch.")
    highest_recall: float = Field(gt=0, lt=1, description="Most positives to catch.")
    candidates: int = Field(ge=1, description="Recalls tried between the two.")
    prior_signals: float = Field(
        ge=0, description="Weight of the fleet's expectancy, counted in signals."
    )

    @model_validator(mode="after")
    def _is_ordered(self) -> "ThresholdSettings":
        if self.lowest_recall > self.highest_recall:
            raise ValueError(
                f"lowest_recall {self.lowest_recall} exceeds highest_recall "
                f"{self.highest_recall}: swap them."
            )
        return self


def trailing_rank(
    probability: Float[np.ndarray, " rows"],
    asset: Shaped[np.ndarray, " rows"],
    rank_days: int,
) -> Float[np.ndarray, " rows"]:
    """Rank each forecast among its asset's forecasts of the last ``rank_days``.

    ``rank[t]`` is the share of the last ``24 rank_days`` forecasts of the asset, the
    present one included, that are not above it (ties count half): 1 for the highest.
    NaN for an asset's first forecasts, until a tenth of the window is filled.

    Parameters
    ----------
    probability
        Forecasts as they were issued, hour by hour, oldest first.
    """
    window = 24 * rank_days
    issued = pd.Series(probability).groupby(asset)
    ranked = issued.rolling(window, min_periods=-(-window // 10)).rank(pct=True)
    return ranked.droplevel(0).sort_index().to_numpy()


def choose_thresholds(
    score: Float[np.ndarray, " rows"],
    net_return: Float[np.ndarray, " rows"],
    is_positive: Bool[np.ndarray, " rows"],
    asset: Shaped[np.ndarray, " rows"],
    settings: ThresholdSettings,
) -> dict[str, float]:
    """Choose, per asset, the threshold whose past signals earned most.

    For each candidate recall ``r`` the threshold is the highest one that catches ``r``
    of the asset's positive rows. Its value is the mean net return of its signals,
    shrunk to the fleet's mean at the same recall with the weight of ``prior_signals``:
    few signals say little about one asset. The best value wins; the lower recall on a
    tie. ``score`` may be any number that is higher for a better forecast, never NaN.

    Returns
    -------
    dict of str to float
        A threshold for each asset that has a positive row.
    """
    recalls = np.linspace(
        settings.lowest_recall, settings.highest_recall, settings.candidates
    )
    tables = {
        str(name): _candidate_table(
            score[rows], net_return[rows], is_positive[rows], recalls
        )
        for name in np.unique(asset)
        for rows in [asset == name]
        if is_positive[rows].any()
    }
    counts = np.sum([table[:, 1] for table in tables.values()], axis=0)
    earned = np.sum([table[:, 2] for table in tables.values()], axis=0)
    fleet_mean = earned / np.maximum(counts, 1)
    prior = settings.prior_signals
    return {
        name: float(
            table[
                np.argmax((table[:, 2] + prior * fleet_mean) / (table[:, 1] + prior)), 0
            ]
        )
        for name, table in tables.items()
    }


def _candidate_table(
    score: Float[np.ndarray, " rows"],
    net_return: Float[np.ndarray, " rows"],
    is_positive: Bool[np.ndarray, " rows"],
    recalls: Float[np.ndarray, " candidates"],
) -> Float[np.ndarray, "candidates 3"]:
    """Return threshold, number of signals and their summed net return per recall."""
    descending = np.argsort(-score, kind="stable")
    caught = np.cumsum(is_positive[descending])
    wanted = np.ceil(recalls * caught[-1]).clip(1)
    thresholds = score[descending][np.searchsorted(caught, wanted)]
    ascending = -score[descending]
    signals = np.searchsorted(ascending, -thresholds, side="right")
    earned = np.cumsum(net_return[descending])[signals - 1]
    return np.column_stack([thresholds, signals, earned])
