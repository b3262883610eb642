"""An account over time: equity, drawdown, months and exposure, beside its benchmarks.

Everything is drawn day by day (UTC), exposure week by week: a point per hour would show
nothing more.
"""

import calendar
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    CATEGORIES,
    GREY,
    VERMILION,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.performance import (
    daily_returns,
    drawdowns,
    monthly_returns,
)

_HATCHES = ("", "/", ".", "x")
_DASHES = ("solid", "dash", "dot", "dashdot")
_LOSS, _NOTHING, _GAIN = VERMILION, "#FFFFFF", BLUE


def draw_backtest(accounts: Mapping[str, Ledger]) -> dict[str, go.Figure]:
    """Draw every figure of a backtest, by name.

    Parameters
    ----------
    accounts
        By name, the strategy first, then its benchmarks; all of the same hours.
    """
    strategy = next(iter(accounts.values()))
    return {
        "accounts": draw_accounts(accounts),
        "drawdown": draw_drawdown(accounts),
        "months": draw_months(strategy),
        "exposure": draw_exposure(strategy),
    }


def draw_accounts(accounts: Mapping[str, Ledger]) -> go.Figure:
    """Draw the equity of each account as a multiple of its capital."""
    figure = blank_figure(
        "Equity beside the benchmarks",
        "Multiple of the capital after all costs, at the end of each day; logarithmic.",
        460,
    )
    for name, ledger in accounts.items():
        grown = (1.0 + daily_returns(ledger)).cumprod()
        # A lost account has no logarithm.
        _add_line(figure, name, grown.where(grown > 0), "%{y:.3f}")
    _mark_strategy(figure)
    # ticks at 1, 2 and 5 of every decade, written out: 0.5 and not a lone 5
    figure.update_yaxes(
        type="log", dtick="D2", tickformat=".3~g", title_text="Of the capital"
    )
    if not next(iter(accounts.values())).fills:
        say_there_is_nothing(figure, "The strategy never traded.")
    return figure


def draw_drawdown(accounts: Mapping[str, Ledger]) -> go.Figure:
    """Draw how far each account lies below its peak, at its worst hour of each day."""
    figure = blank_figure(
        "Drawdown",
        "How far the equity lies below its peak so far: the worst hour of each day.",
        380,
    )
    for name, ledger in accounts.items():
        below = pd.Series(-drawdowns(ledger), index=ledger.hours)
        by_day = below.groupby(ledger.hours.floor("D")).min()
        _add_line(figure, name, by_day, "%{y:.1%}")
    _mark_strategy(figure)
    return figure.update_yaxes(tickformat=".0%", title_text="Below the peak")


def draw_months(ledger: Ledger) -> go.Figure:
    """Draw the strategy's return of each calendar month."""
    months = monthly_returns(daily_returns(ledger))
    table = months.pivot_table(index="year", columns="month", values="monthly_return")
    table = table.reindex(columns=range(1, 13))
    widest = max(float(np.nanmax(np.abs(table.to_numpy()))), 1e-6)
    figure = blank_figure(
        "Return of each month",
        "Of the strategy, after all costs; blue gains, orange loses. The first and the "
        "last month may be shorter.",
        height_for(len(table)) + 60,
    )
    figure.add_heatmap(
        z=table.to_numpy(),
        x=list(calendar.month_abbr)[1:],
        y=[str(year) for year in table.index],
        zmin=-widest,
        zmax=widest,
        colorscale=[[0, _LOSS], [0.5, _NOTHING], [1, _GAIN]],
        xgap=2,
        ygap=2,
        showscale=False,
        hoverongaps=False,
        texttemplate="%{z:+.1%}",
        hovertemplate="%{x} %{y}: %{z:+.2%}<extra></extra>",
    )
    figure.update_xaxes(showgrid=False, zeroline=False)
    return figure.update_yaxes(
        autorange="reversed", type="category", showgrid=False, zeroline=False
    )


def draw_exposure(ledger: Ledger) -> go.Figure:
    """Draw the share of the equity that is in each asset, the mean of each week.

    The bars of two years of days would be too thin to tell the assets apart.
    """
    figure = blank_figure(
        "Exposure by asset",
        "Mean share of the equity in each week; the rest is cash. Below zero: short.",
        400,
    )
    held = pd.DataFrame(ledger.exposure, index=ledger.hours, columns=[*ledger.assets])
    by_week = held.groupby(_weeks(ledger.hours)).mean()
    names = label(pd.Series(ledger.assets))
    for place, (name, asset) in enumerate(zip(names, ledger.assets, strict=True)):
        turn, hue = divmod(place, len(CATEGORIES))
        # A second asset of one colour is told apart by its hatching.
        look = {"color": CATEGORIES[hue], "line": {"width": 0}}
        look["pattern"] = {"shape": _HATCHES[turn % len(_HATCHES)], "size": 4}
        figure.add_bar(
            x=pd.DatetimeIndex(by_week.index).tz_localize(None),
            y=by_week[asset],
            name=name,
            marker=look,
            hovertemplate="Week of %{x|%Y-%m-%d}: %{y:.1%}<extra>" + name + "</extra>",
        )
    figure.update_layout(barmode="relative", bargap=0.1)
    figure.update_yaxes(tickformat=".0%", title_text="Of the equity")
    if not ledger.exposure.any():
        say_there_is_nothing(figure, "Nothing was ever held.")
    return figure


def _weeks(hours: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the Monday on which each hour's week began (UTC)."""
    days = hours.floor("D")
    return days - pd.to_timedelta(days.day_of_week, unit="D")


def _add_line(figure: go.Figure, name: str, daily: pd.Series, written: str) -> None:
    (safe,) = label(pd.Series([name]))
    place = len(figure.data)
    figure.add_scatter(
        x=pd.DatetimeIndex(daily.index).tz_localize(None),
        y=daily,
        name=safe,
        mode="lines",
        line={
            "color": CATEGORIES[place % len(CATEGORIES)] if place else BLUE,
            "dash": _DASHES[place // len(CATEGORIES) % len(_DASHES)],
            "width": 1.2,
        },
        hovertemplate="%{x|%Y-%m-%d}: " + written + "<extra>" + safe + "</extra>",
    )


def _mark_strategy(figure: go.Figure) -> None:
    """Let the strategy stand out, and show of many benchmarks only the first ones."""
    strategy, *others = figure.data
    strategy.line.width = 2.6
    for place, line in enumerate(others):
        if place >= len(CATEGORIES) - 1:
            line.line.color = GREY
            line.visible = "legendonly"
