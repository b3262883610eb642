"""What the forecasters of each asset came to, for the console.

Each error stands beside that of the zero forecast, and each gain beside a word on
whether it is more than chance.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from fleet_kedro.reports.text_table import add_columns, blank_table, plain_lines
from fleet_kedro.reports.units import NO_VALUE, counted, decimals, interval, percent
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE, ZERO

_WORDS = ("LOW", "MEDIUM", "HIGH")
_WORDY = ("", "Model")  # columns that hold no numbers
_MINUTE = 60.0
_MEGABYTE = 1e6
_KEPT = "kept"  # from an earlier run, so training it took no time now
_SMALL_PRICE = 1.0
_LARGE_PRICE = 100.0
_DIGITS = 3  # skills are thousandths of a percent, where there are any


def forecast_lines(
    telemetry: pd.DataFrame, training: pd.DataFrame | None = None
) -> list[str]:
    """Write both tables for each horizon, and what all models together cost.

    Parameters
    ----------
    telemetry
        Rows of all assets, as `measure_forecasters` leaves them.
    training
        What the models cost, a row each: ``asset``, ``model``, ``seconds`` (NaN for
        one that was kept), ``n_parameters``, ``n_bytes``. Without it, these columns
        stay empty.
    """
    tables = [
        table(telemetry, int(horizon), training)
        for horizon in telemetry["horizon"].unique()
        for table in (forecast_table, model_table)
    ]
    lines = [line for table in tables for line in ["", *plain_lines(table)]]
    return lines if training is None else [*lines, "", _total_line(training)]


def forecast_table(
    telemetry: pd.DataFrame, horizon: int, training: pd.DataFrame | None = None
) -> Table:
    """Lay out each asset's ensemble at one horizon, beside the zero forecast."""
    table = blank_table(f"The ensemble of each asset, {horizon} h ahead")
    titles = (
        *("RMSE", "Approx Error", "Zero RMSE", "Skill", "", "Volatility"),
        *("Training Time", "Models"),
    )
    add_columns(table, "Asset", titles, words=_WORDY)
    words = volatility_words(telemetry)
    own = telemetry.loc[telemetry["horizon"] == horizon]
    for row in own.loc[own["model"] == ENSEMBLE].to_dict(orient="records"):
        asset = str(row["asset"])
        models = own.loc[(own["asset"] == asset), "model"]
        table.add_row(
            Text(asset),
            percent(row["rmse"], 2),
            f"~{dollars(row['rmse_price'])}",
            percent(row["zero_rmse"], 2),
            skill_value(row),
            skill_words(row),
            words[asset],
            _training_time(training, asset),
            f"{(~models.isin([ENSEMBLE, ZERO])).sum()}",
        )
    return table


def model_table(
    telemetry: pd.DataFrame, horizon: int, training: pd.DataFrame | None = None
) -> Table:
    """Lay out every model of every asset at one horizon."""
    table = blank_table(f"Every model, {horizon} h ahead")
    titles = (
        *("Model", "RMSE", "Approx Error", "Skill", "", "DM p", "Direction"),
        *("Majority", "Seconds", "Parameters", "kB"),
    )
    add_columns(table, "Asset", titles, words=_WORDY)
    costs = {} if training is None else _by_model(training)
    own = telemetry.loc[telemetry["horizon"] == horizon]
    for row in own.to_dict(orient="records"):
        cost = costs.get((str(row["asset"]), str(row["model"])))
        table.add_row(
            Text(str(row["asset"])),
            Text(str(row["model"])),
            percent(row["rmse"], 3),
            f"~{dollars(row['rmse_price'])}",
            *(
                ("", "")
                if row["model"] == ZERO
                else (skill_value(row), skill_words(row))
            ),
            decimals(row["dm_p_value"], 3),
            percent(row["directional_accuracy"]),
            percent(row["majority_share"]),
            *(("", "", "") if cost is None else _cost_cells(cost)),
        )
    return table


def skill_words(row: Mapping[Hashable, Any]) -> str:
    """Say what an interval of the skill allows to say."""
    low, high = row["skill_low"], row["skill_high"]
    if not (math.isfinite(low) and math.isfinite(high)):
        return NO_VALUE
    if low > 0:
        return "better than zero"
    return "worse than zero" if high < 0 else "no skill"


def skill_value(row: Mapping[Hashable, Any]) -> str:
    """Write the skill in percent, with its interval."""
    span = interval(row["skill_low"], row["skill_high"], signed_percent)
    return f"{signed_percent(row['skill'])} {span}".rstrip()


def dollars(price: float) -> str:
    """Write an amount with as many digits as it deserves."""
    if not math.isfinite(price):
        return NO_VALUE
    if price >= _LARGE_PRICE:
        return f"${price:,.0f}"
    return f"${price:.2f}" if price >= _SMALL_PRICE else f"${price:.3g}"


def volatility_words(telemetry: pd.DataFrame) -> dict[str, str]:
    """Say how wild each asset is among all: by thirds of the ranking, with the number.

    The number is the root mean square return over the shortest horizon. Less than
    three assets are only numbers.
    """
    shortest = telemetry.loc[telemetry["horizon"] == telemetry["horizon"].min()]
    ranked = shortest.groupby("asset")["zero_rmse"].first().sort_values()
    words = {}
    for place, (asset, size) in enumerate(ranked.items()):
        word = _WORDS[len(_WORDS) * place // len(ranked)]
        named = f"{word} " if len(ranked) >= len(_WORDS) else ""
        words[str(asset)] = f"{named}{percent(size, 2)}"
    return words


def signed_percent(fraction: float) -> str:
    """Write a fraction in percent with its sign: 0.0031 is ``+0.310%``."""
    # Adding zero turns the negative zero that rounding may leave into a plain one.
    rounded = round(100 * fraction, _DIGITS) + 0.0
    return f"{rounded:+.{_DIGITS}f}%" if math.isfinite(rounded) else NO_VALUE


def _training_time(training: pd.DataFrame | None, asset: str) -> str:
    if training is None:
        return "-"
    seconds = training.loc[training["asset"] == asset, "seconds"].dropna()
    return _duration(float(seconds.sum())) if len(seconds) else _KEPT


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds / _MINUTE:.2f} min"


def _by_model(
    training: pd.DataFrame,
) -> dict[tuple[str, str], Mapping[Hashable, Any]]:
    return {
        (str(row["asset"]), str(row["model"])): row
        for row in training.to_dict(orient="records")
    }


def _cost_cells(cost: Mapping[Hashable, Any]) -> tuple[str, str, str]:
    return (
        f"{cost['seconds']:.1f}" if math.isfinite(cost["seconds"]) else _KEPT,
        f"{cost['n_parameters']:,}",
        f"{cost['n_bytes'] / 1e3:,.1f}",
    )


def _total_line(training: pd.DataFrame) -> str:
    seconds = training["seconds"].dropna()
    n_kept = len(training) - len(seconds)
    kept = f", {n_kept} kept" if n_kept else ""
    return (
        f"Total: {counted(len(seconds), 'model')} trained in "
        f"{_duration(float(seconds.sum()))}{kept}, "
        f"{training['n_bytes'].sum() / _MEGABYTE:.2f} MB on disk"
    )
