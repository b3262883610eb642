"""Shares of the total market, joined by the moment at which each became known.

A daily share describes a day but is published after it. It therefore joins the bars by
``available_at``. Sources count different coins into the total and differ by several
points, so a series comes from a single source or not at all.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.schema import BAR

DOMINANCE_COLUMNS = {"BTC.D": "btc_dominance_pct", "USDT.D": "usdt_dominance_pct"}


class DominancePolicy(Config):
    """Whose numbers to take, and for how long one stays in force.

    Without a ``source`` the data must come from one source only.
    """

    source: str | None = Field(default=None, min_length=1)
    max_stale_days: int = Field(default=3, ge=1)


def join_dominance(
    timestamps: pd.DatetimeIndex, dominance: pd.DataFrame, policy: DominancePolicy
) -> pd.DataFrame:
    """Give each bar the newest shares that were known at its close.

    Row ``t`` takes, among the values with ``available_at <= t + 1 h``, the one for the
    latest day. It is NaN before the first value, once that value has been available
    for more than ``max_stale_days``, and everywhere if ``dominance`` is empty.

    Parameters
    ----------
    timestamps
        Open times of bars, UTC, in any order.
    dominance
        A ``Dominance`` frame, possibly empty.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``timestamps``; columns ``btc_dominance_pct`` and
        ``usdt_dominance_pct``, in percent, float64.

    Raises
    ------
    MarketError
        If the source asked for is missing, or several are there and none was asked for.
    """
    one_source = _of_one_source(dominance, policy.source)
    known_at = timestamps + BAR
    joined = {
        column: _known_share(
            known_at,
            one_source.loc[one_source["series"] == series],
            pd.Timedelta(days=policy.max_stale_days),
        )
        for series, column in DOMINANCE_COLUMNS.items()
    }
    return pd.DataFrame(joined, index=timestamps)


def _of_one_source(dominance: pd.DataFrame, source: str | None) -> pd.DataFrame:
    sources = sorted(dominance["source"].unique())
    if not sources:
        return dominance
    if source is None and len(sources) > 1:
        raise MarketError(
            f"Dominance comes from {', '.join(sources)}, which must not be mixed; "
            "name one of them as the dominance source."
        )
    if source is not None and source not in sources:
        raise MarketError(
            f"Dominance has no source {source!r}; name one of {', '.join(sources)}."
        )
    return dominance.loc[dominance["source"] == (source or sources[0])]


def _known_share(
    known_at: pd.DatetimeIndex, series: pd.DataFrame, max_age: pd.Timedelta
) -> Float[np.ndarray, " bars"]:
    published = series.dropna(subset=["dominance_pct"]).sort_values(
        ["available_at", "timestamp"], kind="stable"
    )
    # A late note on an older day does not replace what is known of a newer one.
    is_news = published["timestamp"] >= published["timestamp"].cummax()
    news = published.loc[is_news]
    available_at = pd.DatetimeIndex(news["available_at"])
    latest = available_at.searchsorted(known_at, side="right") - 1
    share = np.full(len(known_at), np.nan)
    found = latest >= 0
    age = known_at[found] - available_at[latest[found]]
    value = news["dominance_pct"].to_numpy()[latest[found]]
    share[found] = np.where(age <= max_age, value, np.nan)
    return share
