"""When the checks strike: moments drawn at random, where a leak cannot hide.

One truncation falls into the middle of a 4 h bar and of a day, so that a bar that is
shown before it closes is caught; another one falls into a gap. One perturbation strikes
where the last fold's embargo begins, by when all that the fold learns must be known;
the other one in its training span, on rows that judges have learnt from.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fleet_kedro.audit import changes
from fleet_kedro.audit.checks import (
    AssetOrder,
    Gap,
    LaterStart,
    OtherInputs,
    OtherOldRows,
    Perturbation,
    Restart,
    SegmentBorder,
    Trial,
    Truncation,
)
from fleet_kedro.audit.step import Step
from fleet_kedro.audit.world import World
from fleet_kedro.features.lags import LAGS
from fleet_kedro.market.schema import BAR
from fleet_kedro.splits.walk_forward import Fold

GAP_HOURS = 26
# Hours of the day that open no 4 h bar.
_MID_BAR = (5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23)
_DAY = pd.Timedelta(days=1)


def draw_trials(world: World, steps: Iterable[Step], seed: int) -> list[Trial]:
    """Draw the moments of all checks from a seed."""
    rng = np.random.default_rng(seed)
    last = world.folds()[-1]
    gap = _some_gap(world, last, rng)
    reads = sorted({step.law.reads for step in steps if step.law.reads is not None})
    return [
        Truncation(world.gap_moment),
        Truncation(_mid_bar(last, rng)),
        Perturbation(embargo_start(last, world), seed),
        Perturbation(_while_training(last, rng), seed + 1),
        *(OtherInputs(read, seed + 2) for read in reads),
        LaterStart(_some_midnight(world, rng)),
        OtherOldRows(world.start - _lookback_bars(world) * BAR, seed + 3),
        AssetOrder(),
        SegmentBorder(gap),
        Restart(gap),
    ]


def embargo_start(fold: Fold, world: World) -> pd.Timestamp:
    """First bar that a fold may know nothing of, although it comes before the fold."""
    return fold.validation_start - world.settings.walk_forward.embargo_bars * BAR


def _mid_bar(fold: Fold, rng: np.random.Generator) -> pd.Timestamp:
    """Draw an hour of the fold's validation span, not too near its ends."""
    days = int((fold.validation_end - fold.validation_start) / _DAY)
    day = fold.validation_start.floor("D") + int(rng.integers(3, days)) * _DAY
    return day + int(rng.choice(_MID_BAR)) * BAR


def _while_training(fold: Fold, rng: np.random.Generator) -> pd.Timestamp:
    """Draw an hour of the last fifth of the fold's training span."""
    bars = int((fold.train_end - fold.train_start) / BAR)
    return fold.train_end - int(rng.integers(bars // 20, bars // 5)) * BAR


def _some_midnight(world: World, rng: np.random.Generator) -> pd.Timestamp:
    """Draw a midnight of the first third of the warm-up."""
    first = world.candles["timestamp"].min().ceil("D")
    days = max(int((world.start - first) / _DAY) // 3, 2)
    return first + int(rng.integers(1, days)) * _DAY


def _some_gap(world: World, fold: Fold, rng: np.random.Generator) -> Gap:
    """Send the last asset away for a day, within the first days of the fold."""
    start = fold.validation_start + int(rng.integers(24, 96)) * BAR
    asset = world.assets[-1]
    gap = changes.with_gap(world, asset, start, GAP_HOURS)
    return Gap(gap, asset, start, start + GAP_HOURS * BAR)


def _lookback_bars(world: World) -> int:
    """Bars that a usable row looks back over features: lags and pattern window."""
    return world.settings.walk.brain.pattern_bars + max(LAGS)
