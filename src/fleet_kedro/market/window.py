"""Which stretch of time a run looks at, and who can take part in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.moment import Moment, show
from fleet_kedro.market.schema import BAR

BARS_PER_DAY = pd.Timedelta(days=1) // BAR


def _on_the_hour(moment: datetime) -> datetime:
    if moment.minute or moment.second or moment.microsecond:
        raise ValueError(f"{moment} is no open time of an hourly candle.")
    return moment


class Window(Config):
    """The last ``days`` days up to and including the candle that opens at ``end``.

    Without an ``end`` the window closes with the fleet's most recent candle. Up to
    ``warmup_days`` of older candles come along to fill the windows of features; they
    are never trained on or scored, and they may be missing.

    An asset takes part when it covers the whole window. With ``min_history_days`` it
    takes part when its candles span that many days of the window, so that one that was
    listed late, or was delisted early, is neither forgotten nor known too soon: which
    fold it may join is the walk's to say, by the same number.
    """

    days: int = Field(ge=1)
    end: Annotated[Moment, AfterValidator(_on_the_hour)] | None = None
    warmup_days: int = Field(default=0, ge=0)
    min_history_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _asks_for_no_more_history_than_it_has(self) -> "Window":
        if self.min_history_days is not None and self.min_history_days > self.days:
            raise ValueError(
                f"min_history_days={self.min_history_days} is more than the window's "
                f"days={self.days}; choose fewer."
            )
        return self


class Selection(NamedTuple):
    """The candles that a window selects.

    ``start`` and ``end`` are the open times of its first and last candle; ``candles``
    begin up to ``warmup_days`` before ``start``. ``left_out`` says for each asset that
    does not cover the window why.
    """

    candles: dict[str, pd.DataFrame]
    left_out: dict[str, str]
    start: pd.Timestamp
    end: pd.Timestamp


def select(candles_by_asset: Mapping[str, pd.DataFrame], window: Window) -> Selection:
    """Keep the assets that cover the window, cut to it and its warm-up.

    Parameters
    ----------
    candles_by_asset
        Frames with a column ``timestamp`` (UTC), oldest first.

    Raises
    ------
    MarketError
        If no asset covers the window; says what the candles cover instead.
    """
    covers = {
        asset: _Cover(candles["timestamp"].min(), candles["timestamp"].max())
        for asset, candles in candles_by_asset.items()
        if len(candles)
    }
    if not covers:
        raise MarketError("No asset has a single candle; check the market's source.")
    end = _end_of(window, covers)
    start = end - pd.Timedelta(days=window.days) + BAR
    left_out = {
        asset: _reason(asset, covers.get(asset), start, end, window.min_history_days)
        for asset in candles_by_asset
        if asset not in covers
        or not covers[asset].suffices(start, end, window.min_history_days)
    }
    if len(left_out) == len(candles_by_asset):
        raise MarketError(_no_one_covers(window, covers, start, end))
    earliest = start - pd.Timedelta(days=window.warmup_days)
    candles = {
        asset: _between(frame, earliest, end)
        for asset, frame in candles_by_asset.items()
        if asset not in left_out
    }
    return Selection(candles, left_out, start, end)


class _Cover(NamedTuple):
    first: pd.Timestamp
    last: pd.Timestamp

    def suffices(
        self, start: pd.Timestamp, end: pd.Timestamp, min_history_days: int | None
    ) -> bool:
        """Whether the whole window is covered, or as much of it as is demanded."""
        if min_history_days is None:
            return self.first <= start and end <= self.last
        return self.inside(start, end) >= pd.Timedelta(days=min_history_days)

    def inside(self, start: pd.Timestamp, end: pd.Timestamp) -> pd.Timedelta:
        """Return how long a stretch of the window the candles span."""
        return min(self.last, end) - max(self.first, start) + BAR


def _end_of(window: Window, covers: Mapping[str, _Cover]) -> pd.Timestamp:
    if window.end is not None:
        return pd.Timestamp(window.end)
    return max(cover.last for cover in covers.values()).floor(BAR)


def _between(
    candles: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    inside = candles["timestamp"].between(first, last)
    return candles.loc[inside].reset_index(drop=True)


def _reason(
    asset: str,
    cover: _Cover | None,
    start: pd.Timestamp,
    end: pd.Timestamp,
    min_history_days: int | None,
) -> str:
    if cover is None:
        return f"{asset} is left out: it has no candles."
    if min_history_days is not None:
        days = max(cover.inside(start, end).days, 0)
        return (
            f"{asset} is left out: its candles from {show(cover.first)} to "
            f"{show(cover.last)} span {days} days of the window, and "
            f"{min_history_days} are needed."
        )
    if cover.first > start:
        return (
            f"{asset} is left out: its first candle is {show(cover.first)}, after the "
            f"window's start {show(start)}."
        )
    return (
        f"{asset} is left out: its last candle is {show(cover.last)}, before the "
        f"window's end {show(end)}."
    )


def _no_one_covers(
    window: Window,
    covers: Mapping[str, _Cover],
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> str:
    first = min(cover.first for cover in covers.values())
    last = max(cover.last for cover in covers.values())
    # One day more than the longest stretch of a single asset would leave all out.
    longest = max(
        (
            (end - cover.first + BAR).days
            for cover in covers.values()
            if cover.last >= end
        ),
        default=0,
    )
    remedy = (
        f"choose days <= {longest} or another end"
        if longest >= 1
        else f"choose an end after {show(first)} and up to {show(last)}"
    )
    return (
        f"The window {show(start)} to {show(end)} ({window.days} days) is not covered "
        f"by any asset: the candles run from {show(first)} to {show(last)}; {remedy}."
    )
