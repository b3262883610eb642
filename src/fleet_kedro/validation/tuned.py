"""Every trial of every threshold study as a trial of the ledger.

A study looks for the thresholds of one asset, so a trial is scored on the book of this
asset alone: its daily Sharpe ratio is that of one asset's slice of the capital. What a
trial saw is told by its span, by the fold that its thresholds were meant for, and by a
digest of the forecasts: thresholds on those of another brain are another configuration,
the same ones drawn twice on the same forecasts are one.
"""

import hashlib
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import JsonValue

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.metrics.booking import open_day_book
from fleet_kedro.metrics.sharpe import sharpe_ratios
from fleet_kedro.signals.nested import PRODUCTION, known_before
from fleet_kedro.signals.objective import Thresholds, signals
from fleet_kedro.validation.trials import Trial, TrialResults

_FEWEST_DAYS = 2
_SCORED_ON = ["timestamp", "rank", "probability", "forward_return"]


def tuned_trials(
    forecasts: pd.DataFrame,
    tuned: pd.DataFrame,
    candles: CandleLoaders,
    label: Label,
    source: str,
) -> list[Trial]:
    """Write down every trial of every study, and what it earned day by day.

    Parameters
    ----------
    forecasts
        As a walk leaves them: what the studies were run on.
    tuned
        A row per trial, as ``tune_fleet`` returns them.
    candles
        Read once for each asset.
    source
        Which data, in words.
    """
    samples = {
        fold: forecasts if fold == PRODUCTION else known_before(forecasts, fold, label)
        for fold in sorted(int(fold) for fold in tuned["fold"].unique())
    }
    found: list[Trial] = []
    for asset, of_asset in tuned.groupby("asset"):
        own_candles = candles[str(asset)]()
        # An asset that joined late has no study for the first folds.
        for fold in of_asset["fold"].unique():
            study, every = of_asset.loc[of_asset["fold"] == fold], samples[int(fold)]
            rows = every.loc[every["asset"] == asset].sort_values("timestamp")
            found += _Scored(rows, own_candles, label).trials(study, source)
    return found


class _Scored(NamedTuple):
    """What a study was run on, and the candles in which its trades took place."""

    rows: pd.DataFrame
    candles: pd.DataFrame
    label: Label

    def trials(self, study: pd.DataFrame, source: str) -> list[Trial]:
        """Write down every trial of the study."""
        asset, fold = str(study["asset"].iloc[0]), int(study["fold"].iloc[0])
        purpose = "production" if fold == PRODUCTION else f"fold {fold}"
        seen: dict[str, JsonValue] = {
            "asset": asset,
            "fold": fold,
            "forecasts": _digest(self.rows),
        }
        sharpes, n_days = self._day_by_day(study)
        return [
            Trial(
                source=source,
                start=self.rows["timestamp"].iloc[0].to_pydatetime(),
                end=self.rows["timestamp"].iloc[-1].to_pydatetime(),
                horizon_bars=self.label.horizon_bars,
                round_trip_cost=self.label.round_trip_cost,
                kind="optuna",
                name=f"{asset}, {purpose}",
                parameters=seen | _thresholds(trial),
                results=_results(trial, float(sharpe), n_days),
            )
            for trial, sharpe in zip(
                study.to_dict(orient="records"), sharpes, strict=True
            )
        ]

    def _day_by_day(
        self, study: pd.DataFrame
    ) -> tuple[Float[np.ndarray, " trials"], int]:
        """Return each trial's daily Sharpe ratio, and over how many days it is taken.

        One table of days and rows serves all trials of a study. A sample of a single
        day has no deviation: its trials have Sharpe 0, as every constant has.
        """
        asset = str(self.rows["asset"].iloc[0])
        book = open_day_book(self.rows, {asset: lambda: self.candles}, self.label)
        if len(book.days) < _FEWEST_DAYS:
            return np.zeros(len(study)), len(book.days)
        rank, probability = self.rows["rank"], self.rows["probability"]
        pairs = zip(study["rank_threshold"], study["probability_floor"], strict=True)
        signalled = [
            signals(rank.to_numpy(), probability.to_numpy(), Thresholds(*pair))
            for pair in pairs
        ]
        earned = book.daily_returns(np.column_stack(signalled))
        return sharpe_ratios(earned), len(earned)


def _thresholds(trial: Mapping[Hashable, Any]) -> dict[str, JsonValue]:
    """Return the thresholds as JSON has them: no infinite floor, no margin of none."""
    has_floor = np.isfinite(trial["probability_floor"])
    return {
        "rank_threshold": float(trial["rank_threshold"]),
        "floor_margin": float(trial["floor_margin"]) if has_floor else None,
        "probability_floor": float(trial["probability_floor"]) if has_floor else None,
    }


def _results(trial: Mapping[Hashable, Any], sharpe: float, n_days: int) -> TrialResults:
    return TrialResults(
        daily_sharpe=sharpe,
        n_days=n_days,
        signals=int(trial["signals"]),
        net_return=float(trial["net_return"]),
        precision=float(trial["precision"]),
        recall=float(trial["recall"]),
    )


def _digest(rows: pd.DataFrame) -> str:
    """Tell samples of forecasts apart, by all that a trial's score depends on."""
    digest = hashlib.sha256()
    for name in _SCORED_ON:
        column = rows[name]
        if name == "timestamp":
            column = column.dt.as_unit("us").astype("int64")
        digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
    return digest.hexdigest()[:16]
