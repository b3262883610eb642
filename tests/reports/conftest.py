"""A validated fleet to report on: drawn forecasts, measured by the real chapters."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.splits.walk_forward import Fold, WalkForward
from fleet_kedro.validation.efficiency import planted_efficiency
from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.rivals import rival_picks, rival_scores
from fleet_kedro.validation.telemetry import Telemetry, measure
from fleet_kedro.validation.verdict import Verdict, judge
from fleet_kedro.validation.watcher import FoldOutcome

# The tests import what reads their pages.
sys.path.insert(0, str(Path(__file__).parent))

COST = 0.002
EXPERTS = ["trend", "range", "elastic", "pattern", "stress"]
PHYSICS = ["hurst", "entropy", "fdi", "theta", "acf", "stability_warning"]


class Validated(NamedTuple):
    """Everything that a report is written from."""

    forecasts: pd.DataFrame
    folds: pd.DataFrame
    loadings: pd.DataFrame
    telemetry: Telemetry
    scrutiny: Scrutiny
    verdict: Verdict
    facts: RunFacts


class Size(NamedTuple):
    """How much to draw, and how well it is forecast."""

    assets: tuple[str, ...] = ("BTC", "ETH", "DOGE")
    days: int = 60
    folds: int = 2
    skill: float = 0.0
    threshold: float = 0.5


def draw_forecasts(folds: list[Fold], size: Size) -> pd.DataFrame:
    """Forecasts whose log-odds carry ``skill`` times the standardised outcome."""
    rng = np.random.default_rng(11)
    drawn = []
    for fold in folds:
        hours = pd.date_range(
            fold.validation_start, fold.validation_end, freq="h", inclusive="left"
        )
        keys = pd.MultiIndex.from_product(
            [hours, sorted(size.assets)], names=["timestamp", "asset"]
        )
        rows = keys.to_frame(index=False)
        wild = rng.gamma(4.0, 0.25, len(rows))
        outcome = wild * rng.standard_normal(len(rows))
        said = {
            name: -0.3 + 0.35 * rng.standard_normal(len(rows)) for name in EXPERTS
        } | {"brain": -0.3 + 0.3 * rng.standard_normal(len(rows))}
        chance = {
            name: 1 / (1 + np.exp(-(odds + size.skill * outcome + 0.2 * (wild - 1))))
            for name, odds in said.items()
        }
        gate = rng.dirichlet([4, 2, 3, 2, 1], len(rows))
        forward_return = 0.012 * outcome
        drawn.append(
            rows.assign(
                fold=np.int8(fold.number),
                forward_return=forward_return,
                is_positive=forward_return > COST,
                probability=chance["brain"],
                threshold=size.threshold,
                is_signal=chance["brain"] >= size.threshold,
                volatility_only=1 / (1 + np.exp(0.55 - 0.35 * wild)),
                **{f"physics_{name}": rng.random(len(rows)) for name in PHYSICS[:-1]},
                physics_stability_warning=rng.random(len(rows)) < 0.1,
                **{f"expert_{name}": chance[name] for name in EXPERTS},
                **{
                    f"gate_{name}": gate[:, place] for place, name in enumerate(EXPERTS)
                },
            )
        )
    return pd.concat(drawn, ignore_index=True)


OVERFITTING = OverfittingReport(
    chosen="brain",
    n_configurations=8,
    logits=np.linspace(-1.0, 2.0, 70),
    n_days=60,
    effective_days=50.0,
    daily_sharpe=0.1,
    n_trials=12,
    expected_maximum_sharpe=0.08,
    probabilistic_sharpe=0.8,
    deflated_sharpe=0.55,
    deflated_sharpe_of_effective_days=0.54,
)


TRIALS = pd.DataFrame(
    {
        "kind": ["brain", "all"],
        "trials": [3, 12],
        "best_daily_sharpe": [0.1, 0.2],
        "best": ["brain", "trend alone"],
        "median_daily_sharpe": [0.05, 0.01],
    }
)
TRUTH = pd.DataFrame(columns=["timestamp", "asset", "probability", "regime"])


def validate(size: Size, left_out: dict[str, str] | None = None) -> Validated:
    """Draw, measure and judge."""
    start = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")
    end = start + pd.Timedelta(hours=24 * size.days - 1)
    walk = WalkForward(
        folds=size.folds,
        warmup_folds=2,
        horizon_bars=12,
        embargo_bars=24,
        mode="expanding",
    )
    folds = [fold for fold in walk.split(start, end) if fold.is_scored]
    forecasts = draw_forecasts(folds, size)
    label = Label(horizon_bars=12, round_trip_cost=COST)
    bootstrap = BlockBootstrap(block_days=3, draws=200, level=0.9, seed=5)
    scores = rival_scores(forecasts)
    telemetry = measure(
        forecasts, rival_picks(forecasts, scores), scores, label, bootstrap
    )
    baseline = pd.DataFrame({"asset": [size.assets[0]], "net_return": [0.0001]})
    return Validated(
        forecasts,
        describe(folds, forecasts),
        load(folds),
        telemetry,
        Scrutiny(OVERFITTING, TRIALS, planted_efficiency(forecasts, TRUTH, bootstrap)),
        judge(telemetry, baseline, size.assets[0], OVERFITTING),
        RunFacts(
            source="drawn for a test",
            start=start,
            end=end,
            assets=size.assets,
            left_out=left_out or {},
            label=label,
            walk=walk,
            bootstrap=bootstrap,
            seed=7,
        ),
    )


def load(folds: list[Fold]) -> pd.DataFrame:
    """Two latents of two families, weighing differently in each fold."""
    rows = [
        {
            "latent": latent,
            "family": family,
            "share": share,
            "strongest_feature": f"{family}_13_lag{fold.number}",
            "fold": fold.number,
        }
        for fold in folds
        for latent, shares in (
            ("latent_00", {"trend": 0.5 + fold.number / 10, "volume": 0.5}),
            ("latent_01", {"volume": 1.0}),
        )
        for family, share in shares.items()
    ]
    return pd.DataFrame(rows)


def describe(folds: list[Fold], forecasts: pd.DataFrame) -> pd.DataFrame:
    """A row per fold, in the columns of a walk."""
    assets = forecasts["asset"].nunique()
    return pd.DataFrame(
        [
            {
                "fold": fold.number,
                "train_start": fold.train_start,
                "train_end": fold.train_end,
                "validation_start": fold.validation_start,
                "validation_end": fold.validation_end,
                "train_rows": assets
                * int((fold.train_end - fold.train_start) / pd.Timedelta(hours=1)),
                "validation_rows": int((forecasts["fold"] == fold.number).sum()),
                "columns": 2778,
                "latents": 25,
            }
            for fold in folds
        ]
    )


@pytest.fixture(scope="session")
def validated() -> Validated:
    """Forecasts with skill, over 60 days, three assets and two folds."""
    return validate(Size(skill=0.5))


@pytest.fixture(scope="session")
def without_signals() -> Validated:
    """Forecasts of which none reaches its threshold."""
    return validate(Size(threshold=np.inf))


@pytest.fixture(scope="session")
def validate_with() -> Callable[..., Validated]:
    """Build any other validation: pass fields of ``Size`` and ``left_out``."""

    def build(left_out: dict[str, str] | None = None, **size: object) -> Validated:
        return validate(Size(**size), left_out)

    return build


@pytest.fixture(scope="session")
def outcome() -> FoldOutcome:
    """A fold of two assets, small enough to be counted by hand.

    BTC: 4 rows, 2 positive, 2 signals of which 1 is right; it earns +1.8 % and -1.2 %
    after costs. ETH: 4 rows, 1 positive, no signal.
    """
    start = pd.Timestamp("2023-03-01", tz="UTC").as_unit("us")
    realised = [0.02, -0.01, 0.01, -0.02, 0.03, -0.01, -0.02, 0.001]
    forecasts = pd.DataFrame(
        {
            "asset": ["BTC"] * 4 + ["ETH"] * 4,
            "forward_return": realised,
            "is_positive": np.array(realised) > COST,
            "is_signal": [True, True, False, False] + [False] * 4,
        }
    )
    hour = pd.Timedelta(hours=1)
    fold = Fold(1, start - 99 * hour, start - 37 * hour, start, start + 4 * hour)
    return FoldOutcome(
        fold=fold,
        n_columns=2778,
        n_latents=25,
        n_physics=6,
        embedding_width=11,
        forecasts=forecasts,
    )
