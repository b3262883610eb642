"""Forecasters find what is planted, the ensemble more of it, and nothing in nothing.

The longer horizon's outcomes overlap, so a fold of 12,000 hours holds a thousand of
them: with fewer, forecasters would be judged by their luck.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from jaxtyping import Float

from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.models.forecasters.informer import InformerSettings
from fleet_kedro.models.forecasters.kinds import KINDS
from fleet_kedro.models.forecasters.settings import (
    ForecasterSettings,
    make_forecaster,
)
from fleet_kedro.signals.decision import (
    Decision,
    DecisionInputs,
    SignalSettings,
    decide,
)
from fleet_kedro.signals.entry_threshold import Direction
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.forecast_ensemble import (
    EnsembleWalk,
    EnsembleWalkSettings,
    walk_ensemble,
)
from fleet_kedro.validation.forecast_walk import walk_forecaster

sys.path.append(str(Path(__file__).parents[1] / "models" / "forecasters"))
from planted import (
    HORIZON_BARS,
    PlantedBars,
    attainable_r2,
    attained_share,
    planted_bars,
)

pytestmark = pytest.mark.slow

HORIZONS = (1, HORIZON_BARS)
SETTINGS = ForecasterSettings(
    # What the bars hold is drawn; only settings of the forecasters matter here.
    bars=BarSettings(
        signals=("drawn",),
        channels=("drawn",),
        longest_window_bars=168,
        horizon_bars=HORIZON_BARS,
    ),
    seed=7,
)
WALK = WalkForward(
    folds=1,
    warmup_folds=1,
    horizon_bars=HORIZON_BARS,
    embargo_bars=24,
    mode="expanding",
)


class Walked(NamedTuple):
    """An asset, what each forecaster said of it, and what became of that."""

    planted: PlantedBars
    forecasters: Mapping[str, pd.DataFrame]
    ensemble: EnsembleWalk

    def share(self, model: str) -> Float[np.ndarray, "2"]:
        """Return the share of the attainable R² on scored rows, per horizon."""
        tables = {**self.forecasters, "ensemble": self.ensemble.forecasts}
        scored = tables[model].loc[tables[model]["fold"] >= 1].dropna()
        rows = self.planted.bars.timestamp.get_indexer(scored["timestamp"])
        said = scored[[f"forecast_{horizon}h" for horizon in HORIZONS]]
        return attained_share(self.planted, rows, said.to_numpy())


def walk_all(seed: int, r2: float, n_bars: int, settings: ForecasterSettings) -> Walked:
    planted = planted_bars(seed, r2, n_bars)
    bars = planted.bars
    folds = WALK.split(bars.timestamp[0], bars.timestamp[-1])
    walks = {
        kind: walk_forecaster(
            lambda kind=kind: make_forecaster(kind, settings), bars, folds
        )
        for kind in KINDS
    }
    told = walk_ensemble(walks, EnsembleWalkSettings(horizons=HORIZONS))
    return Walked(planted, walks, told)


def signals_of(ensemble: EnsembleWalk) -> Decision:
    """Decide every hour by what the ensemble says of the next twelve."""
    told = ensemble.forecasts
    ends = [
        told[[f"{name}_{HORIZON_BARS}h"]].to_numpy()
        for name in ("forecast", "low", "high")
    ]
    unknown = np.full(len(told), np.nan)
    return decide(
        DecisionInputs(
            assets=("BTC",),
            expected=ExpectedReturns.of_log_returns(*ends),
            volatility_ratio=np.ones((len(told), 1)),
            usdt_dominance_pct=unknown,
            btc_dominance_pct=unknown,
        ),
        SignalSettings(forecast="ensemble"),
    )


@pytest.fixture(scope="module")
def walked() -> Walked:
    """A quarter of the next hour's variance can be known."""
    return walk_all(seed=1, r2=0.25, n_bars=24_000, settings=SETTINGS)


@pytest.fixture(scope="module")
def random_walk() -> Walked:
    """Nothing can be known; the slowest forecaster may find that out in less time."""
    informer = InformerSettings()
    hasty = informer.training.model_copy(update={"rows_per_epoch": 1024})
    settings = SETTINGS.model_copy(
        update={"informer": informer.model_copy(update={"training": hasty})}
    )
    return walk_all(seed=1, r2=0.0, n_bars=12_000, settings=settings)


class TestPlanted:
    def test_there_is_something_to_find(self, walked):
        walk = walked.forecasters["lstm"]
        scored = walk.loc[walk["fold"] == 1].dropna()
        rows = walked.planted.bars.timestamp.get_indexer(scored["timestamp"])

        assert len(rows) > 11_000
        assert (attainable_r2(walked.planted, rows) > 0.2).all()

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_forecaster_finds_half_of_it_at_both_horizons(self, walked, kind):
        assert (walked.share(kind) >= 0.5).all(), walked.share(kind)

    def test_the_ensemble_finds_four_fifths_at_both_horizons(self, walked):
        assert (walked.share("ensemble") >= 0.8).all(), walked.share("ensemble")

    def test_the_ensemble_is_not_behind_the_best_of_them(self, walked):
        best = np.max([walked.share(kind) for kind in KINDS], axis=0)

        assert (walked.share("ensemble") >= best - 0.02).all()

    def test_signals_follow_and_are_right(self, walked):
        direction = signals_of(walked.ensemble).direction[:, 0]
        came = walked.ensemble.forecasts[f"forward_log_return_{HORIZON_BARS}h"]
        is_signal = (direction != Direction.HOLD) & came.notna().to_numpy()
        is_right = np.sign(came) == direction

        assert is_signal.mean() > 0.3
        assert is_right[is_signal].mean() > 0.6


class TestRandomWalk:
    def test_some_forecaster_believes_that_it_knows(self, random_walk):
        """Else there would be nothing for the ensemble to refuse."""
        said = [
            np.abs(walk[f"forecast_{horizon}h"]).max()
            for walk in random_walk.forecasters.values()
            for horizon in HORIZONS
        ]
        assert max(said) > 0

    def test_the_weight_is_on_the_zero_forecast(self, random_walk):
        weights = random_walk.ensemble.forecasts.filter(like="weight_")

        assert weights.shape[1] == len(KINDS) * len(HORIZONS)
        assert (weights == 0).all(axis=None)
        assert random_walk.ensemble.production["weight_zero"].tolist() == [1.0, 1.0]

    def test_no_signal_follows(self, random_walk):
        decision = signals_of(random_walk.ensemble)

        assert len(decision.direction) > 5000
        assert (decision.expected.absence == Absence.NONE).all()
        assert (decision.direction == Direction.HOLD).all()
        assert (decision.weight == 0).all()
