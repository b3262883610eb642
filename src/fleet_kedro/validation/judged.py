"""Judges of a fold: they learn from what was forecast before it, and became known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.metrics.trading import net_return
from fleet_kedro.models.mixture import (
    PHYSICS_COLUMNS,
    MixtureOfExpertsEnsemble,
    PastForecasts,
)
from fleet_kedro.signals.thresholds import (
    ThresholdSettings,
    choose_thresholds,
    trailing_rank,
)
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.asked import Asked


def judge_fold(asked: Asked, earlier: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mix what the experts of a fold said, by judges of what was forecast before it.

    Returns
    -------
    pandas.DataFrame
        ``asked.forecasts`` with ``probability``, its Venn-Abers interval
        ``probability_low`` to ``probability_high``, and for each expert ``expert_*``
        (calibrated) and ``gate_*``. A fold without a past has no judges: its experts
        count alike and uncalibrated.
    """
    past = _known_past(earlier, asked.fold)
    mixed = _mixed(asked.brain, asked.forecasts, past)
    return pd.concat([asked.forecasts, mixed], axis="columns")


def decide_fold(
    frame: pd.DataFrame,
    fold: Fold,
    earlier: Sequence[pd.DataFrame],
    settings: ThresholdSettings,
    round_trip_cost: float,
) -> pd.DataFrame:
    """Add ``rank``, ``threshold`` and ``is_signal`` to the forecasts of a fold.

    A forecast is ranked among those issued before it, earlier folds' too; a threshold
    is chosen on ranks whose outcome is known, and is infinite where there is none.
    """
    issued = pd.concat([*earlier, frame], ignore_index=True)
    rank = trailing_rank(
        issued["probability"].to_numpy(), issued["asset"].to_numpy(), settings.rank_days
    )[len(issued) - len(frame) :]
    chosen = thresholds_of(_known_past(earlier, fold), settings, round_trip_cost)
    threshold = frame["asset"].map(chosen).astype(np.float64).fillna(np.inf)
    return frame.assign(rank=rank, threshold=threshold, is_signal=rank >= threshold)


def labelled(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Keep the forecasts that have an outcome, which alone can be judged."""
    return forecasts.loc[forecasts["forward_return"].notna()].reset_index(drop=True)


def _known_past(earlier: Sequence[pd.DataFrame], fold: Fold) -> pd.DataFrame | None:
    """Return earlier out-of-sample forecasts whose outcome is known by now."""
    if not earlier:
        return None
    forecasts = labelled(pd.concat(earlier, ignore_index=True))
    known = fold.trains_on(pd.DatetimeIndex(forecasts["timestamp"]))
    return forecasts.loc[known] if known.any() else None


def _mixed(
    brain: MixtureOfExpertsEnsemble,
    forecasts: pd.DataFrame,
    past: pd.DataFrame | None,
) -> pd.DataFrame:
    raw = _raw(forecasts)
    if past is None:
        gate = np.full(raw.shape, 1.0 / raw.shape[1])
        probability, calibrated = raw.mean(axis=1), raw
        low, high = np.zeros(len(raw)), np.ones(len(raw))
    else:
        probability, low, high, gate, calibrated = brain.judge(as_past(past)).mix(
            raw, _physics(forecasts), forecasts["asset"].to_numpy()
        )
    names = list(brain.experts)
    return pd.DataFrame(
        np.column_stack([probability, low, high, calibrated, gate]),
        columns=[
            *("probability", "probability_low", "probability_high"),
            *(f"expert_{name}" for name in names),
            *(f"gate_{name}" for name in names),
        ],
    )


def as_past(forecasts: pd.DataFrame) -> PastForecasts:
    """Return what judges learn from: what experts said, and what they are told."""
    return PastForecasts(
        expert_probability=_raw(forecasts),
        physics=_physics(forecasts),
        asset=forecasts["asset"].to_numpy(),
        is_positive=forecasts["taught"].to_numpy(dtype=np.bool_),
    )


def _raw(forecasts: pd.DataFrame) -> Float[np.ndarray, "rows experts"]:
    return forecasts.filter(regex="^raw_").to_numpy(dtype=np.float64)


def _physics(forecasts: pd.DataFrame) -> Float[np.ndarray, "rows 6"]:
    return forecasts.loc[:, list(PHYSICS_COLUMNS)].to_numpy()


def thresholds_of(
    past: pd.DataFrame | None, settings: ThresholdSettings, round_trip_cost: float
) -> dict[str, float]:
    """Choose on the past; nothing where there is none."""
    if past is None:
        return {}
    ranked = past.loc[past["rank"].notna()]
    return choose_thresholds(
        ranked["rank"].to_numpy(),
        net_return(ranked["forward_return"].to_numpy(), round_trip_cost),
        ranked["is_positive"].to_numpy(dtype=np.bool_),
        ranked["asset"].to_numpy(),
        settings,
    )
