"""The label: what a trade at the next open would earn over the horizon."""

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from fleet_kedro.config import Config


class Label(Config):
    """What counts as a good trade, and when one knows."""

    horizon_bars: int = Field(
        default=12, ge=1, description="Bars between the entry and the exit open."
    )
    round_trip_cost: float = Field(
        default=0.002,
        ge=0,
        lt=1,
        description="Simple return that a trade must exceed; 0.002 is 0.10 % a side.",
    )

    @property
    def last_known_offset_bars(self) -> int:
        """Bars from a row's open until its label is known: entry, then the horizon.

        The label of row ``t`` contains the open of bar ``t + 1 + horizon_bars``.
        """
        return self.horizon_bars + 1


def forward_return(
    open_price: Float[np.ndarray, " bars"],
    is_filled: Bool[np.ndarray, " bars"],
    horizon_bars: int,
) -> Float[np.ndarray, " bars"]:
    """Return of a trade from the next open to the one ``horizon_bars`` later.

    ``out[t] = open[t + 1 + horizon_bars] / open[t + 1] - 1``, before costs, for one
    gap-free segment, oldest bar first. NaN for the last ``horizon_bars + 1`` bars,
    whose exit lies beyond the segment, and where the entry bar or the exit bar is a
    filled candle, at whose price nobody could trade.
    """
    out = np.full(open_price.size, np.nan)
    entry, exit_ = open_price[1:-horizon_bars], open_price[1 + horizon_bars :]
    is_traded = ~(is_filled[1:-horizon_bars] | is_filled[1 + horizon_bars :])
    out[: exit_.size] = np.where(is_traded, exit_ / entry - 1.0, np.nan)
    return out


def is_positive(
    forward_return: Float[np.ndarray, " rows"], label: Label
) -> Bool[np.ndarray, " rows"]:
    """Whether each trade earns more than its round-trip cost; equality does not.

    A row without a label belongs to neither class, so rows must be chosen first.

    Raises
    ------
    ValueError
        If a forward return is NaN.
    """
    n_unknown = int(np.isnan(forward_return).sum())
    if n_unknown:
        raise ValueError(
            f"{n_unknown} of {forward_return.size} rows have no forward return, hence "
            "no class; keep only rows with a finite forward_return."
        )
    return forward_return > label.round_trip_cost
