r"""What the signals would have earned over time, without counting capital twice.

A trade lasts ``H`` bars, so trades of ``H`` consecutive hours are open at once. The
capital is therefore thought of as ``H`` equal parts, one for each hour of the cycle:
the part of hour ``t`` is spread equally over the signals of that hour, rests where
there are none, and is free again when its trades close. With net return ``r`` of a
trade and the signals ``S_t`` of hour ``t``,

.. math:: E(T) = \sum_{t + 1 + H \le T} \frac{1}{H}\, \frac{1}{|S_t|}
          \sum_{a \in S_t} r_{t, a}

Gains are neither reinvested nor booked before a trade has closed. Always long follows
the same rule with a signal in every row, and pays its costs as often.
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Bool

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.schema import BAR
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREY,
    blank_figure,
    say_there_is_nothing,
)


def equity(forecasts: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Return what was earned by the end of each day (UTC), as a fraction of capital.

    Returns
    -------
    pandas.DataFrame
        Columns ``day``, ``brain`` and ``always_long``: every day from the first trade
        that closes to the last, among the rows that were forecast.
    """
    everywhere = np.ones(len(forecasts), dtype=bool)
    earned = pd.DataFrame(
        {
            "brain": _earned(forecasts, forecasts["is_signal"].to_numpy(), label),
            "always_long": _earned(forecasts, everywhere, label),
        }
    )
    return earned.resample("D").sum().cumsum().rename_axis("day").reset_index()


def draw_equity(forecasts: pd.DataFrame, label: Label) -> go.Figure:
    """Draw the equity of the brain's signals beside that of always being long."""
    table = equity(forecasts, label)
    figure = blank_figure(
        "Cumulative net return of all signals",
        "Each hour's part of the capital is spread over its signals and booked when "
        "they close.",
        420,
    )
    for column, title, colour, dash in (
        ("always_long", "Always long", GREY, "dash"),
        ("brain", "Brain's signals", BLUE, "solid"),
    ):
        figure.add_scatter(
            x=table["day"].dt.tz_localize(None),
            y=table[column],
            name=title,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x|%Y-%m-%d}: %{y:+.1%}<extra>" + title + "</extra>",
        )
    figure.update_yaxes(tickformat="+.0%", title_text="Of the capital")
    if not forecasts["is_signal"].any():
        say_there_is_nothing(figure, "The brain gave no signal.")
    return figure


def _earned(
    forecasts: pd.DataFrame, is_signal: Bool[np.ndarray, " rows"], label: Label
) -> pd.Series:
    """Return each hour's gain by the hour in which its trades close."""
    net = net_return(forecasts["forward_return"].to_numpy(), label.round_trip_cost)
    closes_at = forecasts["timestamp"] + BAR * label.last_known_offset_bars
    # An hour without a signal has no mean; its part of the capital earns nothing.
    kept = pd.Series(np.where(is_signal, net, np.nan), index=forecasts.index)
    return kept.groupby(closes_at).mean().fillna(0.0) / label.horizon_bars
