"""The fleet's usable rows, with the latents that each fold sees, in two passes.

The first pass adds every asset's moments to the folds and keeps its narrow inputs; the
second projects every asset with each fold's refiner. The wide matrix of one asset is in
memory at a time, and its lags never are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from fleet_kedro.features.signal import Signal
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.rows import (
    CALENDAR_COLUMNS,
    PATTERN_SERIES,
    AssetFeatures,
    input_columns,
    pattern_columns,
    pattern_windows,
    read_features,
    surface_columns,
)
from fleet_kedro.refine.fleet import FleetRefinement, FleetRefiner
from fleet_kedro.refine.panel_moments import AssetRows
from fleet_kedro.refine.threads import in_order
from fleet_kedro.splits.walk_forward import Fold

FeatureLoaders = Mapping[str, Callable[[], pd.DataFrame]]
"""For each asset, a function that reads its feature frame."""

Track = Callable[[Iterable[Any], str], Iterable[Any]]
"""Shows progress through an iterable under a title; yields its items unchanged."""


def silently(items: Iterable[Any], title: str) -> Iterable[Any]:
    """Track nothing."""
    del title
    return items


@dataclass(frozen=True, eq=False)
class FleetRows:
    """Usable rows in time order, and their latents fold by fold.

    Attributes
    ----------
    table
        A row per (timestamp, asset), sorted by both: ``timestamp``, ``asset``,
        ``forward_return``, the inputs of experts, gate and energy, and the extra
        signals asked for.
    latents
        For each fold, the latents of the rows before its validation end; the rows
        after it are not there. NaN for an asset that was left out of the fold.
    refiners
        What each fold was refined with.
    """

    table: pd.DataFrame
    latents: Sequence[Float32[np.ndarray, "_ _"]]
    refiners: Sequence[FleetRefiner]


def gather_rows(
    features: FeatureLoaders,
    signals: Sequence[Signal],
    folds: Sequence[Fold],
    settings: BrainSettings,
    *,
    extra: Sequence[str] = (),
    track: Track = silently,
) -> FleetRows:
    """Read every asset twice: to fit the folds' refiners, and to project with them.

    ``extra`` names signals that the table shall hold besides the inputs.
    """
    names = [signal.name for signal in signals]
    refinement = FleetRefinement(
        folds,
        np.array([signal.is_flag for signal in signals]),
        settings.refiner.unfitted(),
        settings.refiner.link_block_days,
    )
    start = min(fold.train_start for fold in folds)
    tables = []
    for asset in track(sorted(features), "Summing moments"):
        frame = features[asset]()
        parts = read_features(frame, names, start, settings.pattern_bars)
        rows = learnable_rows(parts, settings.label.round_trip_cost)
        refinement.add(asset, parts.timestamp, rows)
        tables.append(narrow_table(frame, parts, extra, settings.pattern_bars))
    refiners = [
        refinement.fit(number) for number in track(range(len(folds)), "Tensor-Flex")
    ]
    jobs = [
        (asset, table["bar"].to_numpy())
        for asset, table in zip(sorted(features), tables, strict=True)
    ]
    projected = in_order(
        lambda job: _project(job[0], features[job[0]](), names, job[1], refiners), jobs
    )
    latents = list(track(projected, "Projecting latents"))
    return _in_time_order(tables, latents, folds, refiners)


def learnable_rows(parts: AssetFeatures, round_trip_cost: float) -> AssetRows:
    """Return the rows the refiner may look at: labelled, and outside chaos."""
    is_labelled = np.isfinite(parts.forward_return)
    is_calm = parts.inputs["physics_stability_warning"].to_numpy() == 0
    positive = parts.forward_return > round_trip_cost
    return AssetRows(
        signals=parts.signals,
        segment=parts.segment,
        is_used=parts.is_usable & is_labelled & is_calm,
        label=np.where(is_labelled, positive, np.nan),
    )


def expert_inputs(
    table: pd.DataFrame,
    latents: Float32[np.ndarray, "rows latents"],
    settings: BrainSettings,
) -> pd.DataFrame:
    """Return what experts and gate read of narrow rows, their latents first."""
    plain = surface_columns(settings.surface_signals)
    inputs = input_columns(settings.pattern_bars)
    own = table.loc[:, [*inputs, *plain]].to_numpy(dtype=np.float32)
    names = [f"latent_{latent:02d}" for latent in range(latents.shape[1])]
    return pd.DataFrame(
        np.hstack([latents, own]), columns=[*names, *inputs, *plain.values()]
    )


def narrow_table(
    frame: pd.DataFrame,
    parts: AssetFeatures,
    extra: Sequence[str],
    pattern_bars: int,
) -> pd.DataFrame:
    """Keep the usable rows, and of these everything but the wide signals.

    ``bar`` is the position of each row in ``frame``.
    """
    bar = np.flatnonzero(parts.is_usable)
    series = parts.inputs[PATTERN_SERIES].to_numpy()
    pattern = pd.DataFrame(
        pattern_windows(series, bar, pattern_bars),
        columns=pattern_columns(pattern_bars),
    )
    inputs = parts.inputs.columns.drop(PATTERN_SERIES)
    # A column asked for twice is kept once.
    asked = [*CALENDAR_COLUMNS, *extra, *inputs]
    kept = dict.fromkeys(["timestamp", "asset", "forward_return", *asked])
    narrow = frame.loc[parts.is_usable, list(kept)].reset_index(drop=True)
    return pd.concat([narrow, pattern], axis="columns").assign(bar=bar)


def _project(
    asset: str,
    frame: pd.DataFrame,
    names: list[str],
    bar: Int64[np.ndarray, " rows"],
    refiners: Sequence[FleetRefiner],
) -> list[Float32[np.ndarray, "rows _"]]:
    """Return the latents of one asset's usable rows, fold by fold."""
    signals = frame[names].to_numpy(dtype=np.float32)
    segment = frame["segment"].to_numpy()
    return [refiner.latents(asset, signals, segment)[bar] for refiner in refiners]


def _in_time_order(
    tables: Sequence[pd.DataFrame],
    projected: Sequence[Sequence[Float32[np.ndarray, "_ _"]]],
    folds: Sequence[Fold],
    refiners: Sequence[FleetRefiner],
) -> FleetRows:
    """Lay the assets' rows side by side, hour by hour."""
    stacked = pd.concat(tables, ignore_index=True).drop(columns="bar")
    # Assets come in alphabetical order, and a stable sort keeps it within each hour.
    order = stacked["timestamp"].argsort(kind="stable").to_numpy()
    table = stacked.iloc[order].reset_index(drop=True)
    n_known = table["timestamp"].searchsorted(
        pd.DatetimeIndex([fold.validation_end for fold in folds])
    )
    latents = [
        np.concatenate(of_assets)[order[:n_rows]]
        for of_assets, n_rows in zip(zip(*projected, strict=True), n_known, strict=True)
    ]
    return FleetRows(table, latents, refiners)
