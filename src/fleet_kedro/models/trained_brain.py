"""The global brain that forecasts: refiner, mixture and thresholds, all of them fitted.

Nothing about a row that comes later than it is read, so the last row of a feature table
is forecast today as it would be in hindsight.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.contributions import latent_contributions
from fleet_kedro.models.fleet_rows import FeatureLoaders, expert_inputs, narrow_table
from fleet_kedro.models.mixture import MixtureForecast, MixtureOfExpertsEnsemble
from fleet_kedro.models.rows import read_features
from fleet_kedro.refine.fleet import FleetRefiner
from fleet_kedro.refine.threads import in_order

logger = logging.getLogger(__name__)


class BrainForecast(NamedTuple):
    """What a brain says, and which latents made it say so.

    Attributes
    ----------
    table
        A row per (timestamp, asset), sorted by both: ``probability`` with its interval
        ``probability_low`` and ``probability_high``, for each expert ``expert_*``
        (calibrated) and ``gate_*`` (its weight), as in the forecasts of a walk.
    latents
        The contributions of the latents to the forecast of each asset's last bar, the
        largest in size first: ``asset``, ``latent``, ``value`` and ``contribution``;
        see `latent_contributions`.
    """

    table: pd.DataFrame
    latents: pd.DataFrame


class _Rows(NamedTuple):
    """Usable rows of one asset or of all: keys, and what experts and gate read."""

    keys: pd.DataFrame
    inputs: pd.DataFrame


@dataclass(frozen=True, eq=False)
class TrainedBrain:
    """Everything that a forecast needs beside a feature table.

    Attributes
    ----------
    signals
        The columns of a feature table that the refiner reads, in its order.
    thresholds
        For each asset the rank among its trailing forecasts from which on a forecast
        is a signal (`fleet_kedro.signals.thresholds`); an asset may have none.
    """

    settings: BrainSettings
    signals: tuple[str, ...]
    refiner: FleetRefiner
    mixture: MixtureOfExpertsEnsemble
    thresholds: Mapping[str, float]

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it has learnt and can forecast."""
        return tuple(sorted(self.refiner.scales))

    def forecast(
        self, features: FeatureLoaders, last_bars: int | None = None
    ) -> BrainForecast:
        """Forecast the usable rows among the last bars of every asset, or all of them.

        A bar that is not usable (filled, or with something unknown behind it) is left
        out, and an older one never stands in for it. Labels are not read. Assets that
        the brain has not learnt are left out with a warning.

        Raises
        ------
        ValueError
            If none of the assets is known, or a feature table lacks a signal.
        """
        known = [asset for asset in self.assets if asset in features]
        strangers = sorted(features.keys() - set(known))
        if not known:
            raise ValueError(
                f"The brain knows {', '.join(self.assets)}, none of which is among "
                f"{strangers}: give features of assets that it has learnt."
            )
        if strangers:
            logger.warning("The brain has not learnt %s.", ", ".join(strangers))
        read = in_order(
            lambda asset: self._read(asset, features[asset](), last_bars), known
        )
        return self._asked(_side_by_side(list(read)))

    def _read(self, asset: str, frame: pd.DataFrame, last_bars: int | None) -> _Rows:
        """Return what is forecast of one asset, without the wide signals."""
        settings = self.settings
        _check_signals(asset, frame, {*self.signals, *settings.surface_signals})
        start = frame["timestamp"].min()
        parts = read_features(frame, list(self.signals), start, settings.pattern_bars)
        first = 0 if last_bars is None else len(frame) - last_bars
        wanted = parts.is_usable & (np.arange(len(frame)) >= first)
        rows = narrow_table(
            frame,
            parts._replace(is_usable=wanted),
            settings.surface_signals,
            settings.pattern_bars,
        )
        bar = rows["bar"].to_numpy()
        latents = self.refiner.latents(asset, parts.signals, parts.segment)[bar]
        keys = rows.loc[:, ["timestamp", "asset"]].assign(is_last=bar == len(frame) - 1)
        return _Rows(keys, expert_inputs(rows, latents, settings))

    def _asked(self, rows: _Rows) -> BrainForecast:
        asset = rows.keys["asset"].to_numpy()
        said = self.mixture.forecast(rows.inputs, asset)
        last = np.flatnonzero(rows.keys["is_last"])
        told = latent_contributions(
            self.mixture,
            rows.inputs.iloc[last].reset_index(drop=True),
            asset[last],
            said.probability[last],
        )
        table = rows.keys.loc[:, ["timestamp", "asset"]]
        return BrainForecast(table.assign(**self._columns(said)), told)

    def _columns(self, said: MixtureForecast) -> dict[str, Float[np.ndarray, " rows"]]:
        by_expert = {"expert": said.expert_probability, "gate": said.gate_weights}
        return {
            "probability": said.probability,
            "probability_low": said.low,
            "probability_high": said.high,
            **{
                f"{prefix}_{name}": column
                for prefix, columns in by_expert.items()
                for name, column in zip(self.mixture.experts, columns.T, strict=True)
            },
        }


def _side_by_side(read: list[_Rows]) -> _Rows:
    """Put the assets' rows in time order, by name within an hour."""
    keys = pd.concat([rows.keys for rows in read], ignore_index=True)
    # Assets come in alphabetical order, and a stable sort keeps it within each hour.
    order = keys["timestamp"].argsort(kind="stable").to_numpy()
    inputs = np.concatenate([rows.inputs.to_numpy() for rows in read])
    return _Rows(
        keys.iloc[order].reset_index(drop=True),
        pd.DataFrame(inputs[order], columns=read[0].inputs.columns),
    )


def _check_signals(asset: str, frame: pd.DataFrame, signals: set[str]) -> None:
    missing = sorted(signals - set(frame.columns))
    if missing:
        raise ValueError(
            f"The features of {asset} lack {len(missing)} signals that the brain "
            f"reads, {missing[0]} among them: build them with the profile that it was "
            "trained on."
        )
