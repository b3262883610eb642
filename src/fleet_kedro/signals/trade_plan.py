r"""Where to get in, where to get out when wrong, where to get out when right.

All distances are logarithmic and counted in typical ranges :math:`a` of a bar. With the
close :math:`P`, the level behind the trade :math:`B` (support of a long, resistance of
a short) and the level ahead of it :math:`A`:

.. math::
    d_{stop} = \operatorname{clip}(|\ln P/B| + b\,a,\; n_s a,\; w_s a), \qquad
    d_{target} = \operatorname{clip}(|\ln A/P| - b\,a,\; n_t a,\; w_t a)

A stop lies a buffer :math:`b` beyond the level that has to give way first, a target the
same buffer before the level that has to be reached. Neither comes so near that an
ordinary hour touches it, nor so far that it means nothing. Without a level the widest
distance is taken. The entry is the close: the trade itself happens at the next open,
which nobody knows yet.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int8
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.signals.levels import PriceLevels


class PlanSettings(Config):
    """Distances in typical ranges of a bar."""

    buffer: float = Field(default=0.5, ge=0)
    nearest_stop: float = Field(default=2.0, gt=0)
    widest_stop: float = Field(default=6.0, gt=0)
    nearest_target: float = Field(default=2.0, gt=0)
    widest_target: float = Field(default=9.0, gt=0)

    @model_validator(mode="after")
    def _is_ordered(self) -> "PlanSettings":
        for kind, nearest, widest in (
            ("stop", self.nearest_stop, self.widest_stop),
            ("target", self.nearest_target, self.widest_target),
        ):
            if nearest > widest:
                raise ValueError(
                    f"nearest_{kind} {nearest} exceeds widest_{kind} {widest}: "
                    "swap them."
                )
        return self


class TradePlan(NamedTuple):
    """Prices of a trade, NaN where there is none.

    ``reward_risk`` is the gain at the target over the loss at the stop, before costs.
    """

    entry: Float[np.ndarray, "moments assets"]
    stop_loss: Float[np.ndarray, "moments assets"]
    take_profit: Float[np.ndarray, "moments assets"]
    reward_risk: Float[np.ndarray, "moments assets"]


def plan_trades(
    close: Float[np.ndarray, "moments assets"],
    direction: Int8[np.ndarray, "moments assets"],
    levels: PriceLevels,
    settings: PlanSettings,
) -> TradePlan:
    """Plan a trade wherever a direction is given; it knows what the levels know.

    Parameters
    ----------
    direction
        1 to be long, -1 to be short, 0 for no trade.
    """
    is_long = direction > 0
    behind = np.where(is_long, levels.support, levels.resistance)
    ahead = np.where(is_long, levels.resistance, levels.support)
    unit = levels.typical_range
    buffer = settings.buffer * unit
    to_stop = _within(
        np.abs(np.log(close / behind)) + buffer,
        settings.nearest_stop * unit,
        settings.widest_stop * unit,
    )
    to_target = _within(
        np.abs(np.log(ahead / close)) - buffer,
        settings.nearest_target * unit,
        settings.widest_target * unit,
    )
    entry = np.where(direction != 0, close, np.nan)
    stop_loss = entry * np.exp(-direction * to_stop)
    take_profit = entry * np.exp(direction * to_target)
    risk = np.abs(entry - stop_loss)
    reward_risk = np.divide(
        np.abs(take_profit - entry),
        risk,
        out=np.full_like(risk, np.nan),
        where=risk > 0,
    )
    return TradePlan(entry, stop_loss, take_profit, reward_risk)


def _within(
    distance: Float[np.ndarray, "moments assets"],
    nearest: Float[np.ndarray, "moments assets"],
    widest: Float[np.ndarray, "moments assets"],
) -> Float[np.ndarray, "moments assets"]:
    """Clip a distance; an unknown one becomes the widest."""
    return np.where(np.isnan(distance), widest, np.clip(distance, nearest, widest))
