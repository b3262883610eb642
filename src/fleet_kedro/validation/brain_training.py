"""The final brain: experts of the whole window, judges of what was said out of sample.

Nothing is judged in sample. The experts, the scales and the refiner learn from every
row whose outcome is known at the end of the window. Calibrations, gate, interval and
thresholds learn from the forecasts of the walk, whose experts had not seen the rows
that they spoke of. They judge experts of the same making that knew less of the past.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from fleet_kedro.features.signal import Signal
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.fleet_rows import (
    FeatureLoaders,
    Track,
    gather_rows,
    silently,
)
from fleet_kedro.models.mixture import PastForecasts
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.signals.walk_digest import walk_digest
from fleet_kedro.splits.walk_forward import Fold, WalkForward
from fleet_kedro.store.fingerprint import array_hash
from fleet_kedro.validation.asked import rows_of_fold
from fleet_kedro.validation.judged import as_past, thresholds_of
from fleet_kedro.validation.taught import Taught, what_is_taught
from fleet_kedro.validation.walk_forward import WalkSettings


class Experience(NamedTuple):
    """What a brain may learn from, beside the features.

    Attributes
    ----------
    window
        What its experts learn from; see `whole_window`.
    forecasts
        What its judges learn from, as a walk leaves them: `Walk.forecasts`.
    """

    window: Fold
    forecasts: pd.DataFrame


class Lesson(NamedTuple):
    """What a brain has learnt from, as its card tells it.

    Attributes
    ----------
    n_rows
        Rows that the experts have learnt from, those of weight zero included.
    sha256
        Of these rows, their outcomes and weights, and of what the judges were told.
    forecasts
        Which walk the judges have learnt from; see `walk_digest`.
    """

    n_rows: int
    sha256: str
    forecasts: str


def whole_window(walk: WalkForward, start: pd.Timestamp, end: pd.Timestamp) -> Fold:
    """Return the span to learn from: all of a window, or the end of it if it rolls.

    It ends where labels do: the outcome of its last row is known with the window's last
    bar. There is nothing to validate, so nothing is kept empty before its end.
    """
    train_end = end + BAR - walk.purge_bars * BAR
    rolling = start if walk.train_bars is None else train_end - walk.train_bars * BAR
    return Fold(
        number=walk.folds + 1,
        train_start=max(start, rolling),
        train_end=train_end,
        validation_start=end + BAR,
        validation_end=end + BAR,
        min_history=pd.Timedelta(days=walk.min_history_days or 0),
    )


def train_brain(
    features: FeatureLoaders,
    signals: Sequence[Signal],
    experience: Experience,
    settings: WalkSettings,
    track: Track = silently,
) -> tuple[TrainedBrain, Lesson]:
    """Let experts learn from a window, and their judges from a walk through it.

    Raises
    ------
    ValueError
        If the forecasts are of other experts or of another window.
    """
    brain, (window, forecasts) = settings.brain, experience
    _check_forecasts(forecasts, window, list(brain.unfitted(1).experts))
    rows = gather_rows(
        features, signals, [window], brain, extra=brain.surface_signals, track=track
    )
    train, _ = rows_of_fold(rows, 0, window)
    taught = what_is_taught(rows, 0, train, brain)
    past = as_past(forecasts.assign(taught=forecasts["is_positive"]))
    mixture = brain.unfitted(n_assets=len(rows.refiners[0].scales))
    trained = TrainedBrain(
        settings=brain,
        signals=tuple(signal.name for signal in signals),
        refiner=rows.refiners[0],
        mixture=taught.to(mixture).judge(past),
        thresholds=thresholds_of(
            forecasts, settings.thresholds, brain.label.round_trip_cost
        ),
    )
    return trained, Lesson(
        len(taught.outcome), _hash(taught, past), walk_digest(forecasts)
    )


def _check_forecasts(
    forecasts: pd.DataFrame, window: Fold, experts: Sequence[str]
) -> None:
    said = [name for name in forecasts.columns if name.startswith("raw_")]
    if said != [f"raw_{name}" for name in experts]:
        raise ValueError(
            f"The forecasts hold {', '.join(said) or 'no expert'}, but the experts are "
            f"{', '.join(experts)}: validate the brain with these settings first."
        )
    first, last = forecasts["timestamp"].min(), forecasts["timestamp"].max()
    # A rolling window begins later than the walk; its judges may have seen more.
    if not (len(forecasts) and first < last < window.train_end):
        raise ValueError(
            f"The forecasts are of {first} to {last}, but outcomes are known before "
            f"{window.train_end}: validate the brain on this window first."
        )


def _hash(taught: Taught, past: PastForecasts) -> str:
    arrays: dict[str, Shaped[np.ndarray, ...]] = {
        "inputs": taught.inputs.to_numpy(),
        **{
            name: getattr(taught, name)
            for name in ("outcome", "weight", "asset", "relative")
        },
        **{f"past_{name}": value for name, value in past._asdict().items()},
    }
    for name in ("asset", "past_asset"):
        arrays[name] = arrays[name].astype(np.str_)
    return array_hash(arrays)
