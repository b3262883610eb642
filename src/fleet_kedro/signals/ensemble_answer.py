r"""What each asset's ensemble says of its newest bar.

The weights and the width of an interval are those of the ensemble's own model: the
forecast is :math:`\sum_m w_m f_m`, and its interval reaches :math:`q\, u \sqrt h` to
either side, :math:`u` the volatility to expect (`fleet_kedro.models.conformal`). A
model without a weight is not even read. Where no model has one, the zero forecast is
what the ensemble says.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.features.newest import NewestFeatures
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.models.conformal import interval_scale
from fleet_kedro.models.ensemble import combine
from fleet_kedro.models.forecasters.bars import AssetBars, BarSettings, asset_bars
from fleet_kedro.models.forecasters.base import Forecaster
from fleet_kedro.models.forecasters.kinds import KINDS, Kind
from fleet_kedro.models.forecasters.settings import (
    ForecasterSettings,
    make_forecaster,
)
from fleet_kedro.signals.ensemble_rule import (
    KIND as ENSEMBLE,
)
from fleet_kedro.signals.ensemble_rule import (
    EnsembleRule,
    HorizonRule,
    Reading,
    model_name,
    rule_from_files,
)
from fleet_kedro.store.serving import Served


class LogReturn(NamedTuple):
    """An expected log return over the horizon, and the ends of its interval."""

    middle: float
    low: float
    high: float


UNKNOWN = LogReturn(np.nan, np.nan, np.nan)


class EnsembleAnswer(NamedTuple):
    """What the ensembles say, by asset.

    Attributes
    ----------
    forecast
        Of each asset that has an ensemble; NaN where its newest bar cannot be used.
    troubles
        Of each asset whose ensemble cannot be asked: why, in a sentence.
    weightless
        Assets whose ensemble gives no model a weight: it forecasts zero.
    """

    forecast: Mapping[str, LogReturn]
    troubles: Mapping[str, str]
    weightless: tuple[str, ...]


class _Tables(NamedTuple):
    """One asset's newest features and candles, the same bars."""

    features: pd.DataFrame
    candles: pd.DataFrame

    def bars(self, settings: BarSettings) -> AssetBars:
        """Lay them out as a forecaster reads them.

        Raises
        ------
        ValueError
            If the features lack a signal that is read.
        """
        read = {*settings.signals, *settings.channels}
        missing = sorted(read - set(self.features.columns))
        if missing:
            raise ValueError(
                f"The features lack {len(missing)} signals that they read, "
                f"{missing[0]} among them."
            )
        return asset_bars(self.features, self.candles, settings)


def ask_ensembles(
    newest: NewestFeatures, served: Served, horizon: int
) -> EnsembleAnswer:
    """Let the ensemble of every asset that has one forecast the asset's last bar.

    A model that is missing, damaged, trained on other features or not the one that was
    weighed costs the answer of its asset.
    """
    forecast, troubles, weightless = {}, {}, []
    for asset in sorted(newest.candles):
        try:
            if not any(_is_of(asset, name) for name in served.names):
                continue
            ensemble = rule_from_files(served(model_name(asset)).files)
            rule = ensemble.at(horizon)
            members = [
                _Member.read(served, asset, kind, ensemble) for kind in rule.weights
            ]
            reading = ensemble.reading
            table = newest.table(asset, FeatureRecipe.read(reading.recipe))
            tables = _Tables(table, newest.candles[asset])
            forecast[asset] = _asked(rule, members, tables, reading)
            if not members:
                weightless.append(asset)
        except ValueError as error:
            troubles[asset] = f"The forecasters of {asset} are not used: {error}"
    return EnsembleAnswer(forecast, troubles, tuple(weightless))


def _is_of(asset: str, name: str) -> bool:
    """Whether a model is one of an asset's forecasters, or their ensemble."""
    return any(name == model_name(asset, kind) for kind in (ENSEMBLE, *KINDS))


class _Member(NamedTuple):
    """A forecaster of production, and what it reads."""

    forecaster: Forecaster
    bars: BarSettings

    @classmethod
    def read(
        cls, served: Served, asset: str, kind: str, ensemble: EnsembleRule
    ) -> "_Member":
        model = served(model_name(asset, kind))
        ensemble.check_member(kind, model)
        settings = ForecasterSettings.model_validate(model.card.parameters)
        forecaster = make_forecaster(_kind(model.card.kind), settings)
        return cls(forecaster.load_files(model.files), settings.bars)

    def forecast(self, bars: AssetBars, horizon: int) -> float:
        """Return the log return that it expects after the last bar."""
        column = bars.horizons.index(horizon)
        last = np.array([len(bars.timestamp) - 1])
        return float(self.forecaster.predict(bars, last)[0, column])


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ValueError(f"{name!r} is no kind of forecaster.")
    return name


def _asked(
    rule: HorizonRule,
    members: Sequence[_Member],
    tables: _Tables,
    reading: Reading,
) -> LogReturn:
    laid_out = {each: tables.bars(each) for each in {m.bars for m in members}}
    bars = laid_out[members[0].bars] if members else tables.bars(reading.bars)
    is_usable = np.logical_and.reduce([b.is_usable for b in (bars, *laid_out.values())])
    if not is_usable[-1]:
        return UNKNOWN
    said = [each.forecast(laid_out[each.bars], rule.horizon) for each in members]
    weights = np.array(list(rule.weights.values()))
    middle = float(combine(np.array([said]).reshape(1, len(said)), weights)[0])
    scale = interval_scale(bars.volatility[is_usable], reading.intervals)[-1]
    width = math.nan if rule.interval_width is None else rule.interval_width
    half = width * float(scale) * math.sqrt(rule.horizon)
    return LogReturn(middle, middle - half, middle + half)
