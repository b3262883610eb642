"""Everything that a walk tried: what each configuration earned day by day.

The brain, its ablations, each expert alone and equal weights are configurations that
one could have chosen by looking at this report. Rivals that know nothing are not.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.metrics.booking import open_day_book
from fleet_kedro.metrics.sharpe import sharpe_ratios
from fleet_kedro.validation.rivals import (
    ALONE,
    BRAIN,
    EQUAL_WEIGHTS,
    ablation_names,
)
from fleet_kedro.validation.trials import Kind, Trial, TrialResults


class Circumstances(NamedTuple):
    """On which outcomes the configurations were scored, and with which parameters."""

    source: str
    start: pd.Timestamp
    end: pd.Timestamp
    label: Label
    parameters: dict[str, Any]


def daily_returns(
    forecasts: pd.DataFrame,
    picks: Mapping[str, Bool[np.ndarray, " rows"]],
    candles: CandleLoaders,
    label: Label,
) -> pd.DataFrame:
    """Return what each configuration earned on each day, as fractions of the capital.

    A row per day (midnight, UTC), a column per configuration; see ``DayBook``.
    """
    book = open_day_book(forecasts, candles, label)
    alone = [name for name in picks if name.endswith(ALONE)]
    names = [BRAIN, EQUAL_WEIGHTS, *alone, *ablation_names(forecasts)]
    weight = np.column_stack([picks[name] for name in names])
    return pd.DataFrame(book.daily_returns(weight), index=book.days, columns=names)


def trials_of(
    measured: pd.DataFrame,
    daily: pd.DataFrame,
    where: Circumstances,
) -> list[Trial]:
    """Write down every configuration and how it fared.

    Parameters
    ----------
    measured
        As ``compare`` lays it out, a row per name.
    daily
        A column per configuration.
    """
    by_name = {str(row["name"]): row for row in measured.to_dict(orient="records")}
    sharpe = dict(zip(daily.columns, sharpe_ratios(daily.to_numpy()), strict=True))
    return [
        Trial(
            source=where.source,
            start=where.start.to_pydatetime(),
            end=where.end.to_pydatetime(),
            horizon_bars=where.label.horizon_bars,
            round_trip_cost=where.label.round_trip_cost,
            kind=_kind(name),
            name=name,
            parameters=where.parameters,
            results=TrialResults(
                daily_sharpe=float(sharpe[name]),
                n_days=len(daily),
                signals=int(by_name[name]["signals"]),
                net_return=float(by_name[name]["net_return"]),
                precision=float(by_name[name]["precision"]),
                recall=float(by_name[name]["recall"]),
            ),
        )
        for name in map(str, daily.columns)
    ]


def _kind(name: str) -> Kind:
    if name == BRAIN:
        return "brain"
    return "rival" if name == EQUAL_WEIGHTS or name.endswith(ALONE) else "ablation"
