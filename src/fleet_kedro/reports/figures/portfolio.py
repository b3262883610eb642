"""One moment of a portfolio: where the capital goes, and what each forecast says."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.signals.entry_threshold import Direction
from fleet_kedro.signals.signal_shape import CASH, PortfolioSignal

_LOOK = {
    Direction.BUY: ("BUY", GREEN, "triangle-up"),
    Direction.SELL: ("SELL", VERMILION, "triangle-down"),
    Direction.HOLD: ("HOLD", GREY, "circle"),
}


def draw_portfolio(signal: PortfolioSignal) -> dict[str, go.Figure]:
    """Draw the allocation and the forecasts."""
    return {
        "allocation": _draw_allocation(signal),
        "forecasts": _draw_forecasts(signal),
    }


def _draw_allocation(signal: PortfolioSignal) -> go.Figure:
    names = pd.Series(list(signal.portfolio_allocation))
    weights = 100 * pd.Series(list(signal.portfolio_allocation.values()))
    figure = blank_figure(
        "Allocation",
        "Share of the capital; what is left of zero is short. Cash is grey.",
        height_for(len(names)),
    )
    figure.add_bar(
        x=weights,
        y=label(names),
        orientation="h",
        marker_color=[GREY if name == CASH else BLUE for name in names],
        text=[f"{weight:.1f}%" if weight else "" for weight in weights],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2f}%<extra></extra>",
    )
    # room for the numbers beside the longest bars, on a phone too
    low, high = min(0.0, *weights), max(0.0, *weights)
    room = 0.2 * max(high - low, 1.0)
    figure.update_xaxes(
        title_text="Percent of the capital",
        range=[low - room if low else 0.0, high + room],
    )
    return figure.update_yaxes(autorange="reversed")


def _draw_forecasts(signal: PortfolioSignal) -> go.Figure:
    table = _forecasts(signal)
    figure = blank_figure(
        f"Expected return over {signal.horizon_hours} h",
        "With its interval. A forecast between the two bars of its row is a HOLD.",
        height_for(len(table)) + 40,
    )
    _add_thresholds(figure, table)
    for direction, (name, colour, symbol) in _LOOK.items():
        _add_points(figure, table.loc[table["direction"] == direction], name, colour)
        figure.update_traces(marker_symbol=symbol, selector={"name": name})
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_xaxes(title_text="Percent", zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(table))),
        ticktext=label(table["asset"]),
        range=[len(table) - 0.4, -0.6],
        zeroline=False,
    )
    if table["expected"].isna().all():
        say_there_is_nothing(figure, "No asset has a forecast.")
    return figure


def _add_thresholds(figure: go.Figure, table: pd.DataFrame) -> None:
    figure.add_scatter(
        x=[*table["threshold"], *-table["threshold"]],
        y=[*table["place"], *table["place"]],
        name="Threshold",
        mode="markers",
        marker={
            "symbol": "line-ns",
            "size": 14,
            "line": {"color": "#6B7686", "width": 2},
        },
        hovertemplate="threshold %{x:+.2f}%<extra></extra>",
    )


def _add_points(figure: go.Figure, rows: pd.DataFrame, name: str, colour: str) -> None:
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["expected"],
        y=rows["place"],
        name=name,
        mode="markers",
        marker={"color": colour, "size": 11},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["expected"],
            "arrayminus": rows["expected"] - rows["low"],
            "color": colour,
            "thickness": 1.6,
            "width": 4,
        },
        customdata=label(rows["asset"]),
        hovertemplate="%{customdata}: %{x:+.2f}%<extra>" + name + "</extra>",
    )


def _forecasts(signal: PortfolioSignal) -> pd.DataFrame:
    """Return a row per asset, in percent; NaN for what is unknown."""
    told = [
        {
            "asset": asset,
            "direction": own.signal,
            "expected": own.expected_return,
            "low": own.interval.low if own.interval else None,
            "high": own.interval.high if own.interval else None,
            "threshold": own.threshold,
        }
        for asset, own in signal.individual_signals.items()
    ]
    table = pd.DataFrame(told).assign(place=range(len(told)))
    numbers = ["expected", "low", "high", "threshold"]
    return table.assign(**{name: 100 * table[name].astype(float) for name in numbers})
