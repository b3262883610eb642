"""What the whole market's mood does to the portfolio.

**Fear.** Tether's share of the market rises when money waits outside. With the default
cut-offs of USDT.D, exposure is scaled to

- 100 % under 4 % (CALM),
- 70 % from 4 % to 5 %, both included (CAUTION),
- 40 % above 5 % (FEAR).

**Season.** Bitcoin's share tells where the money inside goes. With the default cut-offs
of BTC.D,

- above 60 % (BITCOIN) Bitcoin's score is multiplied by ``tilt``, the others' divided,
- from 50 % to 60 %, both included (BALANCED), nothing is shifted,
- under 50 % (ALTS) Bitcoin's score is divided by ``tilt``, the others' multiplied.

With the default tilt of 1.25 a season moves the ratio of two scores by 1.25² = 1.56:
two equal assets, one of them Bitcoin, turn from 50 : 50 to 61 : 39 or 39 : 61. Scores
are shifted before they are allocated, so caps and floors hold in any season.

An unknown share is neutral: nothing is scaled, nothing is shifted.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int8
from pydantic import Field, model_validator

from fleet_kedro.config import Config


class Fear(IntEnum):
    """What USDT.D says."""

    UNKNOWN = 0
    CALM = 1
    CAUTION = 2
    FEAR = 3


class Season(IntEnum):
    """What BTC.D says."""

    UNKNOWN = 0
    ALTS = 1
    BALANCED = 2
    BITCOIN = 3


class DominanceRegime(Config):
    """Cut-offs in percent of the whole market, and what follows from them."""

    is_used: bool = Field(default=True, description="False: both shares are unknown.")
    calm_below_pct: float = Field(default=4.0, ge=0, le=100)
    fear_above_pct: float = Field(default=5.0, ge=0, le=100)
    calm_exposure: float = Field(default=1.0, ge=0, le=1)
    caution_exposure: float = Field(default=0.7, ge=0, le=1)
    fear_exposure: float = Field(default=0.4, ge=0, le=1)
    unknown_exposure: float = Field(default=1.0, ge=0, le=1)
    alts_below_pct: float = Field(default=50.0, ge=0, le=100)
    bitcoin_above_pct: float = Field(default=60.0, ge=0, le=100)
    bitcoin: str = Field(default="BTC", min_length=1, description="Its name here.")
    tilt: float = Field(default=1.25, ge=1, description="Factor on a score; 1 is none.")

    @model_validator(mode="after")
    def _is_ordered(self) -> "DominanceRegime":
        pairs = {
            "calm_below_pct": (self.calm_below_pct, self.fear_above_pct),
            "alts_below_pct": (self.alts_below_pct, self.bitcoin_above_pct),
        }
        for name, (lower, upper) in pairs.items():
            if lower > upper:
                raise ValueError(
                    f"{name} {lower} lies above the upper cut-off {upper}: swap them."
                )
        return self


class Regime(NamedTuple):
    """The regime at each moment.

    Attributes
    ----------
    fear, season
        Codes of `Fear` and `Season`.
    exposure
        Factor on what may be invested, 0 to 1.
    tilt
        Factor on each asset's score.
    """

    fear: Int8[np.ndarray, " moments"]
    season: Int8[np.ndarray, " moments"]
    exposure: Float[np.ndarray, " moments"]
    tilt: Float[np.ndarray, "moments assets"]


def dominance_regime(
    usdt_dominance_pct: Float[np.ndarray, " moments"],
    btc_dominance_pct: Float[np.ndarray, " moments"],
    assets: Sequence[str],
    settings: DominanceRegime,
) -> Regime:
    """Read both shares as known at each moment, in percent; NaN is unknown."""
    if not settings.is_used:
        usdt_dominance_pct = np.full_like(usdt_dominance_pct, np.nan)
        btc_dominance_pct = np.full_like(btc_dominance_pct, np.nan)
    fear = _code(usdt_dominance_pct, settings.calm_below_pct, settings.fear_above_pct)
    season = _code(
        btc_dominance_pct, settings.alts_below_pct, settings.bitcoin_above_pct
    )
    exposure_of = np.array(
        [
            settings.unknown_exposure,
            settings.calm_exposure,
            settings.caution_exposure,
            settings.fear_exposure,
        ]
    )
    # The exponent of the tilt for Bitcoin, in the order of the codes.
    power = np.array([0.0, -1.0, 0.0, 1.0])[season]
    side = np.where(np.asarray(assets) == settings.bitcoin, 1.0, -1.0)
    return Regime(
        fear, season, exposure_of[fear], settings.tilt ** np.outer(power, side)
    )


def _code(
    share: Float[np.ndarray, " moments"], lower: float, upper: float
) -> Int8[np.ndarray, " moments"]:
    """Return 0 where unknown, 1 under the lower cut-off, 3 above the upper, else 2."""
    conditions = [np.isnan(share), share < lower, share > upper]
    return np.select(conditions, [0, 1, 3], default=2).astype(np.int8)
