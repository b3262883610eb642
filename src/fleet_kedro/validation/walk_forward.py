"""The walk: at every fold learn from the past, forecast the next span, move on.

What a fold's judges learn from (calibrations, gate, thresholds) are the forecasts that
earlier folds made out of sample, as far as their outcome is known before the fold's
own validation span and its embargo.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from fleet_kedro.config import Config
from fleet_kedro.features.energy import energy, fit_energy, sample_weight
from fleet_kedro.features.lags import LAGS, lagged_names
from fleet_kedro.features.signal import Signal
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.fleet_rows import FeatureLoaders, FleetRows, gather_rows
from fleet_kedro.models.mixture import (
    PHYSICS_COLUMNS,
    MixtureOfExpertsEnsemble,
    PastForecasts,
)
from fleet_kedro.models.rows import input_columns
from fleet_kedro.signals.thresholds import (
    ThresholdSettings,
    choose_thresholds,
    trailing_rank,
)
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.volatility_null import VolatilityNull
from fleet_kedro.validation.watcher import FoldOutcome, Watcher

_WARNING = "physics_stability_warning"


class WalkSettings(Config):
    """What is walked forward: a brain, its thresholds, and its blind rival."""

    brain: BrainSettings
    thresholds: ThresholdSettings
    volatility_null: VolatilityNull


class Walk(NamedTuple):
    """What a walk leaves behind.

    Attributes
    ----------
    forecasts
        Every scored forecast, a row per (timestamp, asset): ``fold``,
        ``forward_return``, ``is_positive``, the physics, ``probability``, its ``rank``,
        the ``threshold`` of the rank, ``is_signal``, the rival's ``volatility_only``,
        and for each expert ``raw_*`` (as it said), ``expert_*`` (calibrated) and
        ``gate_*``.
    folds
        A row per scored fold: its spans, rows, columns and latents.
    loadings
        Scored fold, latent and family: the family's share of the squared loadings.
    """

    forecasts: pd.DataFrame
    folds: pd.DataFrame
    loadings: pd.DataFrame


def walk_forward(
    features: FeatureLoaders,
    signals: Sequence[Signal],
    folds: Sequence[Fold],
    settings: WalkSettings,
    watcher: Watcher | None = None,
) -> Walk:
    """Walk one brain through all folds, over all assets that ``features`` holds."""
    watcher = watcher or Watcher()
    _check_rival(settings.volatility_null, signals)
    rows = gather_rows(
        features,
        signals,
        folds,
        settings.brain,
        extra=settings.volatility_null.signals,
        track=watcher.track,
    )
    watcher.on_rows(len(features), len(rows.table))
    walked: list[pd.DataFrame] = []
    for number, fold in enumerate(watcher.track(folds, "Walking forward")):
        walked.append(_walk_fold(rows, number, fold, walked, settings))
        if fold.is_scored:
            watcher.on_fold(_outcome(rows, number, fold, walked[-1], settings))
    forecasts = _labelled(pd.concat(walked, ignore_index=True))
    scored = [number for number, fold in enumerate(folds) if fold.is_scored]
    return Walk(
        forecasts=forecasts.loc[forecasts["fold"] >= 1].reset_index(drop=True),
        folds=pd.DataFrame(
            [
                _describe(rows, number, folds[number], walked[number])
                for number in scored
            ]
        ),
        loadings=_loadings(rows, signals, folds),
    )


def _check_rival(rival: VolatilityNull, signals: Sequence[Signal]) -> None:
    known = {signal.name for signal in signals}
    missing = [name for name in rival.signals if name not in known]
    if missing:
        raise ValueError(
            f"volatility_null.signals names {', '.join(missing)}, which the profile of "
            f"{len(known)} signals does not hold: name others."
        )


def _walk_fold(
    rows: FleetRows,
    number: int,
    fold: Fold,
    walked: Sequence[pd.DataFrame],
    settings: WalkSettings,
) -> pd.DataFrame:
    """Learn from the past, forecast the validation span of one fold."""
    train, validation = _rows_of(rows, number, fold)
    past = _known_past(walked, fold)
    brain = _fitted(rows, number, train, past, settings.brain)
    of_validation = rows.table.iloc[validation]
    inputs = _inputs(rows, number, validation, settings.brain.pattern_bars)
    raw = brain.expert_probability(inputs)
    asset = of_validation["asset"].to_numpy()
    mixed = brain.mix(raw, inputs.loc[:, list(PHYSICS_COLUMNS)].to_numpy(), asset)
    rank = _rank(walked, mixed.probability, asset, settings.thresholds)
    threshold = _thresholds(past, asset, settings)
    volatility_only = settings.volatility_null.forecast(
        rows.table.iloc[train],
        _is_positive(rows.table.iloc[train], settings.brain),
        of_validation,
    )
    return pd.concat(
        [
            of_validation.loc[
                :, ["timestamp", "asset", "forward_return", *PHYSICS_COLUMNS]
            ]
            .assign(
                fold=np.int8(fold.number),
                is_positive=_is_positive(of_validation, settings.brain),
                probability=mixed.probability,
                rank=rank,
                threshold=threshold,
                is_signal=rank >= threshold,
                volatility_only=volatility_only,
            )
            .reset_index(drop=True),
            _by_expert("raw", raw, brain),
            _by_expert("expert", mixed.expert_probability, brain),
            _by_expert("gate", mixed.gate_weights, brain),
        ],
        axis="columns",
    )


def _rows_of(
    rows: FleetRows, number: int, fold: Fold
) -> tuple[Int64[np.ndarray, " train"], Int64[np.ndarray, " validation"]]:
    """Return what a fold learns from, and what it forecasts, labelled or not.

    Only assets that take part in the fold count. A forecast whose outcome will never be
    known is ranked like any other, as it would be on the day.
    """
    table = rows.table
    timestamp = pd.DatetimeIndex(table["timestamp"])
    takes_part = table["asset"].isin(list(rows.refiners[number].scales)).to_numpy()
    is_labelled = np.isfinite(table["forward_return"].to_numpy())
    return (
        np.flatnonzero(fold.trains_on(timestamp) & takes_part & is_labelled),
        np.flatnonzero(fold.validates_on(timestamp) & takes_part),
    )


def _known_past(walked: Sequence[pd.DataFrame], fold: Fold) -> pd.DataFrame | None:
    """Return earlier out-of-sample forecasts whose outcome is known by now."""
    if not walked:
        return None
    forecasts = _labelled(pd.concat(walked, ignore_index=True))
    known = fold.trains_on(pd.DatetimeIndex(forecasts["timestamp"]))
    return forecasts.loc[known] if known.any() else None


def _labelled(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Keep the forecasts that have an outcome, which alone can be judged."""
    return forecasts.loc[forecasts["forward_return"].notna()].reset_index(drop=True)


def _fitted(
    rows: FleetRows,
    number: int,
    train: Int64[np.ndarray, " train"],
    past: pd.DataFrame | None,
    settings: BrainSettings,
) -> MixtureOfExpertsEnsemble:
    table = rows.table.iloc[train]
    asset = table["asset"].to_numpy()
    brain = settings.unfitted(n_assets=len(np.unique(asset)))
    return brain.fit(
        _inputs(rows, number, train, settings.pattern_bars),
        _is_positive(table, settings),
        _weights(table, settings),
        asset=asset,
        past=None if past is None else _as_past(past),
    )


def _inputs(
    rows: FleetRows, number: int, row: Int64[np.ndarray, " rows"], pattern_bars: int
) -> pd.DataFrame:
    """Return what experts and gate read: this fold's latents and own inputs."""
    latents = rows.latents[number][row]
    own = rows.table.loc[row, input_columns(pattern_bars)]
    names = [f"latent_{latent:02d}" for latent in range(latents.shape[1])]
    return pd.DataFrame(
        np.hstack([latents, own.to_numpy(dtype=np.float32)]),
        columns=[*names, *own.columns],
    )


def _weights(
    table: pd.DataFrame, settings: BrainSettings
) -> Float[np.ndarray, " rows"]:
    """Weigh training rows: more under high energy, nothing under the warning."""
    loudness = np.zeros(len(table))
    for _, own in table.reset_index(drop=True).groupby("asset"):
        volume = own["energy_volume"].to_numpy(dtype=np.float64)
        move = own["energy_move"].to_numpy(dtype=np.float64)
        loudness[own.index] = energy(volume, move, fit_energy(volume, move))
    warning = table[_WARNING].to_numpy(dtype=np.float64)
    return sample_weight(loudness * settings.use_energy, warning * settings.mask_chaos)


def _rank(
    walked: Sequence[pd.DataFrame],
    probability: Float[np.ndarray, " rows"],
    asset: np.ndarray,
    settings: ThresholdSettings,
) -> Float[np.ndarray, " rows"]:
    """Rank a fold's forecasts among those issued before them, earlier folds' too."""
    issued = [fold["probability"].to_numpy() for fold in walked]
    of_asset = [fold["asset"].to_numpy() for fold in walked]
    rank = trailing_rank(
        np.concatenate([*issued, probability]),
        np.concatenate([*of_asset, asset]),
        settings.rank_days,
    )
    return rank[len(rank) - len(probability) :]


def _thresholds(
    past: pd.DataFrame | None, asset: np.ndarray, settings: WalkSettings
) -> Float[np.ndarray, " rows"]:
    """Return each row's threshold; infinite for an asset with no past to choose on."""
    if past is None:
        return np.full(len(asset), np.inf)
    ranked = past.loc[past["rank"].notna()]
    chosen = choose_thresholds(
        ranked["rank"].to_numpy(),
        net_return(
            ranked["forward_return"].to_numpy(), settings.brain.label.round_trip_cost
        ),
        ranked["is_positive"].to_numpy(),
        ranked["asset"].to_numpy(),
        settings.thresholds,
    )
    return np.array([chosen.get(str(name), np.inf) for name in asset])


def _as_past(forecasts: pd.DataFrame) -> PastForecasts:
    return PastForecasts(
        expert_probability=forecasts.filter(regex="^raw_").to_numpy(),
        physics=forecasts.loc[:, list(PHYSICS_COLUMNS)].to_numpy(),
        asset=forecasts["asset"].to_numpy(),
        is_positive=forecasts["is_positive"].to_numpy(),
    )


def _is_positive(
    table: pd.DataFrame, settings: BrainSettings
) -> Bool[np.ndarray, " rows"]:
    return table["forward_return"].to_numpy() > settings.label.round_trip_cost


def _by_expert(
    prefix: str,
    values: Float[np.ndarray, "rows experts"],
    brain: MixtureOfExpertsEnsemble,
) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"{prefix}_{name}" for name in brain.experts])


def _outcome(
    rows: FleetRows,
    number: int,
    fold: Fold,
    forecasts: pd.DataFrame,
    settings: WalkSettings,
) -> FoldOutcome:
    flex = rows.refiners[number].flex
    embedded = len(rows.refiners[number].scales)
    return FoldOutcome(
        fold=fold,
        n_columns=len(flex.projection_),
        n_latents=flex.projection_.shape[1],
        n_physics=len(PHYSICS_COLUMNS),
        n_embedded_assets=embedded if settings.brain.use_asset_embedding else 0,
        forecasts=_labelled(forecasts),
    )


def _describe(
    rows: FleetRows, number: int, fold: Fold, forecasts: pd.DataFrame
) -> dict[str, object]:
    train, _ = _rows_of(rows, number, fold)
    columns, latents = rows.refiners[number].flex.projection_.shape
    return {
        "fold": fold.number,
        "train_start": fold.train_start,
        "train_end": fold.train_end,
        "validation_start": fold.validation_start,
        "validation_end": fold.validation_end,
        "train_rows": len(train),
        "validation_rows": len(_labelled(forecasts)),
        "columns": columns,
        "latents": latents,
    }


def _loadings(
    rows: FleetRows, signals: Sequence[Signal], folds: Sequence[Fold]
) -> pd.DataFrame:
    names = lagged_names([signal.name for signal in signals])
    families = [signal.family for signal in signals] * len(LAGS)
    return pd.concat(
        [
            refiner.flex.loadings(names, families).assign(fold=fold.number)
            for refiner, fold in zip(rows.refiners, folds, strict=True)
            if fold.is_scored
        ],
        ignore_index=True,
    )
