"""Every trial of every threshold study as a trial of the ledger.

A study looks for the thresholds of one asset, so a trial is scored on the book of this
asset alone: its daily Sharpe ratio is that of one asset's slice of the capital. What a
trial saw is told by its span, by the fold that its thresholds were meant for, and by a
digest of the forecasts: thresholds on those of another brain are another configuration,
the same ones drawn twice on the same forecasts are one.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import JsonValue

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.metrics.booking import DayBook, open_day_book
from fleet_kedro.metrics.sharpe import sharpe_ratios
from fleet_kedro.signals.nested import PRODUCTION, known_before, purpose
from fleet_kedro.signals.objective import Thresholds, signals
from fleet_kedro.validation.trials import Trial, TrialResults

_FEWEST_DAYS = 2

_Row = Mapping[Hashable, Any]


class _Rule(NamedTuple):
    """How the trials of a kind of study signal, and what tells them apart.

    Attributes
    ----------
    word
        Behind the asset in a trial's name; may be empty.
    scored_on
        Columns that a trial's score depends on.
    signalled
        Marks the rows that a trial of these parameters signals.
    parameters
        Those of a trial as JSON has them.
    """

    word: str
    scored_on: Sequence[str]
    signalled: Callable[[pd.DataFrame, _Row], Bool[np.ndarray, " rows"]]
    parameters: Callable[[Mapping[Hashable, Any]], dict[str, JsonValue]]


def tuned_trials(
    forecasts: pd.DataFrame,
    tuned: pd.DataFrame,
    candles: CandleLoaders,
    label: Label,
    source: str,
) -> list[Trial]:
    """Write down every trial of every study of ranks, and what it earned day by day.

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
    return _recorded(forecasts, tuned, candles, _Origin(label, source, _BY_RANK))


def return_trials(
    strengths: pd.DataFrame,
    tuned: pd.DataFrame,
    candles: CandleLoaders,
    label: Label,
    source: str,
) -> list[Trial]:
    """Write down every trial of every study of return thresholds likewise.

    Parameters
    ----------
    strengths
        As ``strength_table`` leaves them: what the studies were run on.
    tuned
        The trials that ``tune_returns`` returns.
    """
    return _recorded(strengths, tuned, candles, _Origin(label, source, _BY_RETURN))


class _Origin(NamedTuple):
    """What all trials of a kind share."""

    label: Label
    source: str
    rule: _Rule


def _recorded(
    rows: pd.DataFrame, tuned: pd.DataFrame, candles: CandleLoaders, origin: _Origin
) -> list[Trial]:
    samples = {
        fold: rows if fold == PRODUCTION else known_before(rows, fold, origin.label)
        for fold in sorted(int(fold) for fold in tuned["fold"].unique())
    }
    found: list[Trial] = []
    for asset, of_asset in tuned.groupby("asset"):
        own_candles = candles[str(asset)]()
        # An asset that joined late has no study for the first folds.
        for fold in of_asset["fold"].unique():
            study, every = of_asset.loc[of_asset["fold"] == fold], samples[int(fold)]
            own = every.loc[every["asset"] == asset].sort_values("timestamp")
            found += _Scored(own, own_candles, origin).trials(study)
    return found


class _Scored(NamedTuple):
    """What a study was run on, and the candles in which its trades took place."""

    rows: pd.DataFrame
    candles: pd.DataFrame
    origin: _Origin

    def trials(self, study: pd.DataFrame) -> list[Trial]:
        """Write down every trial of the study."""
        label, source, rule = self.origin
        asset, fold = str(study["asset"].iloc[0]), int(study["fold"].iloc[0])
        seen: dict[str, JsonValue] = {
            "asset": asset,
            "fold": fold,
            "forecasts": _digest(self.rows, rule.scored_on),
        }
        sharpes, n_days = self._day_by_day(study)
        return [
            Trial(
                source=source,
                start=self.rows["timestamp"].iloc[0].to_pydatetime(),
                end=self.rows["timestamp"].iloc[-1].to_pydatetime(),
                horizon_bars=label.horizon_bars,
                round_trip_cost=label.round_trip_cost,
                kind="optuna",
                name=f"{asset}{rule.word}, {purpose(fold)}",
                parameters=seen | rule.parameters(trial),
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
        book = self._book(self.origin.label)
        if len(book.days) < _FEWEST_DAYS:
            return np.zeros(len(study)), len(book.days)
        signalled = np.column_stack(
            [
                self.origin.rule.signalled(self.rows, trial)
                for trial in study.to_dict(orient="records")
            ]
        )
        earned = book.daily_returns(signalled)
        if "side" in self.rows:
            earned = self._with_shorts(earned, signalled)
        return sharpe_ratios(earned), len(earned)

    def _with_shorts(
        self,
        earned: Float[np.ndarray, "days trials"],
        signalled: Bool[np.ndarray, "rows trials"],
    ) -> Float[np.ndarray, "days trials"]:
        """Turn what longs earn into what shorts do, where a row goes short."""
        short = signalled & (self.rows["side"].to_numpy() < 0)[:, np.newaxis]
        if not short.any():
            return earned
        free = self.origin.label.model_copy(update={"round_trip_cost": 0.0})
        return earned - 2 * self._book(free).daily_returns(short)

    def _book(self, label: Label) -> DayBook:
        asset = str(self.rows["asset"].iloc[0])
        return open_day_book(self.rows, {asset: lambda: self.candles}, label)


def _reach_both(
    rows: pd.DataFrame, trial: Mapping[Hashable, Any]
) -> Bool[np.ndarray, " rows"]:
    pair = Thresholds(trial["rank_threshold"], trial["probability_floor"])
    return signals(rows["rank"].to_numpy(), rows["probability"].to_numpy(), pair)


def _reach_factor(
    rows: pd.DataFrame, trial: Mapping[Hashable, Any]
) -> Bool[np.ndarray, " rows"]:
    return rows["strength"].to_numpy() >= trial["factor"]


def _factor(trial: Mapping[Hashable, Any]) -> dict[str, JsonValue]:
    return {"return_factor": float(trial["factor"])}


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


def _digest(rows: pd.DataFrame, scored_on: Sequence[str]) -> str:
    """Tell samples of forecasts apart, by all that a trial's score depends on."""
    digest = hashlib.sha256()
    for name in scored_on:
        column = rows[name]
        if name == "timestamp":
            column = column.dt.as_unit("us").astype("int64")
        digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
    return digest.hexdigest()[:16]


_BY_RANK = _Rule(
    "", ("timestamp", "rank", "probability", "forward_return"), _reach_both, _thresholds
)
_BY_RETURN = _Rule(
    " by return",
    ("timestamp", "strength", "side", "forward_return"),
    _reach_factor,
    _factor,
)
