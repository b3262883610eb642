r"""How much of the capital a signal asks for, before the portfolio has its say.

.. math:: s = \operatorname{sign}\; |\hat r| \cdot c \cdot \rho

with the expected return :math:`\hat r`, the weight :math:`c` of its confidence and the
risk weight :math:`\rho` of its asset. A HOLD scores 0. Only ratios of scores matter to
the allocation, so a score has no unit of its own.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int8
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.signals.entry_threshold import along_assets

Share = Annotated[float, Field(gt=0, le=1)]


class RiskWeights(Config):
    """How much less an asset gets for being wilder than the reference."""

    stated: dict[str, Share] = Field(
        default={"BTC": 1.0, "ETH": 0.85, "SOL": 0.70},
        description="Weights by asset; an empty block leaves all to volatility.",
    )
    lowest: Share = 0.5
    highest: Share = 1.0

    @model_validator(mode="after")
    def _is_ordered(self) -> "RiskWeights":
        if self.lowest > self.highest:
            raise ValueError(
                f"lowest {self.lowest} exceeds highest {self.highest}: swap them."
            )
        return self


def risk_weights(
    volatility_ratio: Float[np.ndarray, "moments assets"],
    assets: Sequence[str],
    settings: RiskWeights,
) -> Float[np.ndarray, "moments assets"]:
    """Return the stated weight, else one over the volatility ratio within the limits.

    The lowest weight where neither is known: who cannot be measured gets least.
    """
    stated = along_assets(settings.stated, assets)
    least = 1 / settings.highest
    measured = 1 / np.clip(volatility_ratio, least, 1 / settings.lowest)
    cautious = np.where(np.isfinite(measured), measured, settings.lowest)
    return np.where(np.isfinite(stated), stated, cautious)


def position_scores(
    expected_return: Float[np.ndarray, "moments assets"],
    direction: Int8[np.ndarray, "moments assets"],
    confidence: Float[np.ndarray, "moments assets"],
    risk_weight: Float[np.ndarray, "moments assets"],
) -> Float[np.ndarray, "moments assets"]:
    """Return the scores: above zero for a BUY, below for a SELL, 0 for a HOLD."""
    size = np.abs(expected_return) * confidence * risk_weight
    return np.where(direction == 0, 0.0, direction * size)


def position_sizes(
    expected_return: Float[np.ndarray, "moments assets"],
    full_size_return: Float[np.ndarray, "moments assets"],
    direction: Int8[np.ndarray, "moments assets"],
    weight: Float[np.ndarray, "moments assets"],
) -> Float[np.ndarray, "moments assets"]:
    """Return how strong each signal is on its own, from 0 to 1; 0 for a HOLD.

    ``min(1, |r| / full_size_return)`` times ``weight``, the product of confidence and
    risk weight. It knows nothing of the other assets: how much capital a signal gets is
    the allocation's to say.
    """
    reached = np.minimum(np.abs(expected_return) / full_size_return, 1.0)
    return np.where(direction == 0, 0.0, reached * weight)
