"""How far a forecast has to go before it is worth a trade, asset by asset.

The threshold of an asset is the first of these that is known:

1. the one that was tuned for it, if tuned ones are wanted,
2. the one that is stated for it,
3. ``base`` times its trailing volatility over the reference's: what is a large move for
   Bitcoin is an idle hour for a small coin.

With the expected return ``r`` and the threshold ``θ``: HOLD where ``|r| < θ``, else BUY
or SELL by the sign of ``r``, and STRONG where ``|r| > strong_multiple θ``. Whatever is
unknown is a HOLD.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int8
from pydantic import Field

from fleet_kedro.config import Config

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Direction(IntEnum):
    """What a signal says to do."""

    SELL = -1
    HOLD = 0
    BUY = 1


class EntryThreshold(Config):
    """Where the thresholds come from; returns are fractions, 0.003 is 0.30 %."""

    base: Fraction = Field(default=0.003, description="That of the reference.")
    reference: str = Field(
        default="BTC", min_length=1, description="Whose volatility is the unit."
    )
    stated: dict[str, Fraction] = Field(
        default={"BTC": 0.003, "ETH": 0.006, "SOL": 0.0075},
        description="Thresholds by asset; an empty block leaves all to volatility.",
    )
    strong_multiple: float = Field(
        default=2.0, ge=1, description="A forecast beyond so many thresholds is STRONG."
    )
    volatility_bars: int = Field(
        default=720, ge=2, description="Hours behind a volatility."
    )
    tuned: bool = Field(
        default=False, description="Whether thresholds that were tuned come first."
    )


class Call(NamedTuple):
    """What the thresholds make of forecasts.

    Attributes
    ----------
    direction
        Codes of `Direction`.
    is_strong
        Never true of a HOLD.
    """

    direction: Int8[np.ndarray, "moments assets"]
    is_strong: Bool[np.ndarray, "moments assets"]


def entry_thresholds(
    volatility_ratio: Float[np.ndarray, "moments assets"],
    assets: Sequence[str],
    settings: EntryThreshold,
    tuned: Float[np.ndarray, "moments assets"] | None = None,
) -> Float[np.ndarray, "moments assets"]:
    """Return the threshold of each asset at each moment, as a fraction.

    NaN for an asset without a tuned and a stated one while its ratio is unknown. It
    knows what the ratio knows, and no outcome.

    Parameters
    ----------
    tuned
        Thresholds that were found on the past of each moment; NaN where there is none.
    """
    stated = along_assets(settings.stated, assets)
    by_volatility = settings.base * volatility_ratio
    default = np.where(np.isfinite(stated), stated, by_volatility)
    if tuned is None:
        return default
    return np.where(np.isfinite(tuned), tuned, default)


def call(
    expected_return: Float[np.ndarray, "moments assets"],
    threshold: Float[np.ndarray, "moments assets"],
    settings: EntryThreshold,
) -> Call:
    """Compare forecasts with their thresholds."""
    size = np.abs(expected_return)
    is_reached = size >= threshold
    direction = np.where(is_reached, np.sign(expected_return), 0.0).astype(np.int8)
    return Call(
        direction, (direction != 0) & (size > settings.strong_multiple * threshold)
    )


def along_assets(
    values: Mapping[str, float], assets: Sequence[str]
) -> Float[np.ndarray, " assets"]:
    """Lay values by name along the axis of the assets; NaN for one without a value."""
    return np.array([values.get(asset, np.nan) for asset in assets], dtype=np.float64)
