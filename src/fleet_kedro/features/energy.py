"""Energy: volume and movement at once, from 0 for a quiet bar to 1 for the loudest.

Rows with energy teach more, rows in chaos teach nothing: ``sample_weight``. All
statistics come from the training rows of one asset, so the same bar may have another
energy in another fold.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

Z_LIMIT = 5.0


@dataclass(frozen=True)
class EnergyScale:
    """Training statistics of one asset.

    ``volume_*`` in base currency, ``move_*`` in absolute log return per hour,
    ``quiet`` and ``loud`` the smallest and the greatest product of the clipped
    z-scores among the training rows.
    """

    volume_mean: float
    volume_deviation: float
    move_mean: float
    move_deviation: float
    quiet: float
    loud: float


def fit_energy(
    volume: Float[np.ndarray, " rows"], abs_return: Float[np.ndarray, " rows"]
) -> EnergyScale:
    """Learn the scale from training rows, in any order.

    Rows where either input is NaN are left out. A constant input has deviation 0 and
    a z-score of 0.

    Raises
    ------
    ValueError
        If no row is complete.
    """
    known = np.isfinite(volume) & np.isfinite(abs_return)
    if not known.any():
        raise ValueError(
            f"none of {volume.size} training rows has both a volume and a return; "
            "energy cannot be scaled."
        )
    volume, abs_return = volume[known].astype(float), abs_return[known].astype(float)
    volume_stats = _mean_and_deviation(volume)
    move_stats = _mean_and_deviation(abs_return)
    product = _clipped_z(volume, *volume_stats) * _clipped_z(abs_return, *move_stats)
    quiet, loud = float(product.min()), float(product.max())
    return EnergyScale(*volume_stats, *move_stats, quiet, loud)


def energy(
    volume: Float[np.ndarray, " rows"],
    abs_return: Float[np.ndarray, " rows"],
    scale: EnergyScale,
) -> Float[np.ndarray, " rows"]:
    """Energy of each row, in [0, 1].

    ``z = clip((value - mean) / deviation, 0, 5)`` for volume and for absolute log
    return; their product, mapped from its training range to [0, 1] and clipped there,
    since later rows may be louder than any training row. NaN where an input is NaN;
    0 everywhere if no training row stood out.
    """
    product = _clipped_z(volume, scale.volume_mean, scale.volume_deviation)
    product = product * _clipped_z(abs_return, scale.move_mean, scale.move_deviation)
    span = scale.loud - scale.quiet
    if span == 0.0:
        return 0.0 * product
    return np.clip((product - scale.quiet) / span, 0.0, 1.0)


def sample_weight(
    energy: Float[np.ndarray, " rows"], stability_warning: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """``1 + energy`` outside chaos, 0 in it: how much a row counts in training.

    Always finite: a row whose energy or warning is unknown (NaN) weighs 0 as well.
    """
    counts: Bool[np.ndarray, " rows"] = (stability_warning == 0) & np.isfinite(energy)
    return np.where(counts, 1.0 + energy, 0.0)


def _mean_and_deviation(values: Float[np.ndarray, " rows"]) -> tuple[float, float]:
    """Mean and population deviation; exactly 0 for a constant."""
    is_constant = values.min() == values.max()
    return float(values.mean()), 0.0 if is_constant else float(values.std())


def _clipped_z(
    values: Float[np.ndarray, " rows"], mean: float, deviation: float
) -> Float[np.ndarray, " rows"]:
    """Z-score between 0 and 5; NaN stays NaN, and a deviation of 0 gives 0."""
    if deviation == 0.0:
        return np.where(np.isnan(values), np.nan, 0.0)
    return np.clip((values - mean) / deviation, 0.0, Z_LIMIT)
