r"""What each asset's ensemble says of its newest bar.

The weights and the width of an interval are those that training has left for
production: the forecast is :math:`\sum_m w_m f_m`, and its interval reaches
:math:`q\, u \sqrt h` to either side, :math:`u` the volatility to expect (see
`fleet_kedro.models.conformal`). A model without a weight is not even read. Where no
model has one, the zero forecast is what the ensemble says.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.models.conformal import ConformalSettings, interval_scale
from fleet_kedro.models.ensemble import combine
from fleet_kedro.models.forecasters.bars import AssetBars, BarSettings, asset_bars
from fleet_kedro.models.forecasters.base import Forecaster
from fleet_kedro.models.forecasters.kinds import KINDS, Kind
from fleet_kedro.models.forecasters.settings import (
    ForecasterSettings,
    make_forecaster,
)
from fleet_kedro.store.serving import Served

_WEIGHT = "weight_"
_ZERO = "weight_zero"


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
    """

    forecast: Mapping[str, LogReturn]
    troubles: Mapping[str, str]


class ProductionRule(NamedTuple):
    """How an asset's forecasters are combined in production.

    ``half_width`` is in units of the scale times ``√h``; NaN for no interval.
    """

    weights: Mapping[str, float]
    half_width: float

    @classmethod
    def read(cls, production: pd.DataFrame, horizon: int) -> "ProductionRule":
        """Take the row of a horizon from what `walk_ensemble` left for production.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        rows = production.loc[production["horizon"] == horizon]
        if rows.empty:
            raise ValueError(
                f"There are weights for {production['horizon'].tolist()} hours, but "
                f"none for {horizon}: train the forecasters again."
            )
        row = rows.iloc[0]
        columns = [str(name) for name in rows.columns if name != _ZERO]
        names = [name for name in columns if name.startswith(_WEIGHT)]
        given = {name.removeprefix(_WEIGHT): float(row[name]) for name in names}
        return cls(
            {kind: weight for kind, weight in given.items() if weight > 0},
            float(row["interval_width"]),
        )


class AssetTables(NamedTuple):
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


class AskingRules(NamedTuple):
    """What is asked of every ensemble.

    ``bars`` says what an hour's volatility is where no model has a weight; a model
    reads what it was trained on.
    """

    horizon: int
    bars: BarSettings
    intervals: ConformalSettings


def ask_ensembles(
    productions: Mapping[str, pd.DataFrame],
    tables: Mapping[str, AssetTables],
    served: Served,
    rules: AskingRules,
) -> EnsembleAnswer:
    """Let the ensemble of every asset that has one forecast the asset's last bar.

    A model that is missing, damaged or trained on other features costs the answer of
    its asset.

    Parameters
    ----------
    productions
        By asset, as `walk_ensemble` leaves them.
    """
    forecast, troubles = {}, {}
    for asset in sorted(productions.keys() & tables.keys()):
        try:
            rule = ProductionRule.read(productions[asset], rules.horizon)
            members = [_Member.read(served, asset, kind) for kind in rule.weights]
            forecast[asset] = _asked(rule, members, tables[asset], rules)
        except ValueError as error:
            troubles[asset] = f"The forecasters of {asset} are not used: {error}"
    return EnsembleAnswer(forecast, troubles)


class _Member(NamedTuple):
    """A forecaster of production, and what it reads."""

    forecaster: Forecaster
    bars: BarSettings

    @classmethod
    def read(cls, served: Served, asset: str, kind: str) -> "_Member":
        model = served(f"{asset}-{kind}".lower())
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
    rule: ProductionRule,
    members: Sequence[_Member],
    tables: AssetTables,
    rules: AskingRules,
) -> LogReturn:
    laid_out = {each: tables.bars(each) for each in {m.bars for m in members}}
    bars = laid_out[members[0].bars] if members else tables.bars(rules.bars)
    is_usable = np.logical_and.reduce([b.is_usable for b in (bars, *laid_out.values())])
    if not is_usable[-1]:
        return UNKNOWN
    said = [each.forecast(laid_out[each.bars], rules.horizon) for each in members]
    weights = np.array(list(rule.weights.values()))
    middle = float(combine(np.array([said]).reshape(1, len(said)), weights)[0])
    scale = interval_scale(bars.volatility[is_usable], rules.intervals)[-1]
    half = rule.half_width * float(scale) * math.sqrt(rules.horizon)
    return LogReturn(middle, middle - half, middle + half)
