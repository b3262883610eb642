"""MultiTask: one reading of the last bars, asked several questions.

Tasks that share what they need teach each other (Caruana 1997): whether a return will
be positive and how wild the hours ahead will be are easier questions than how large it
will be. The trunk that they share is a dilated causal convolution (van den Oord et al.
2016, section 2.1), computed at the last bar only.
"""

import numpy as np
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.config import Config
from fleet_kedro.models.forecasters.bars import N_HORIZONS, AssetBars
from fleet_kedro.models.forecasters.sequence import (
    SequenceForecaster,
    SequenceSettings,
    zero_head,
)
from fleet_kedro.models.training import TrainingSettings

SMALLEST_RATIO = 0.05
"""Volatility ahead over the trailing one is taken to be no less than this."""


class TaskWeights(Config):
    """How much each question counts in the loss."""

    returns: float = Field(default=1.0, gt=0, description="Mean squared error.")
    direction: float = Field(default=0.2, ge=0, description="Log loss.")
    volatility: float = Field(default=0.2, ge=0, description="Squared error of a log.")


class MultiTaskSettings(SequenceSettings):
    """How wide the trunk is, what the questions weigh, and for how long it learns."""

    window_bars: int = Field(default=32, ge=2, description="L: bars; a power of two.")
    width: int = Field(default=32, ge=1, description="Channels of every layer.")
    dropout: float = Field(
        default=0.2, ge=0, lt=1, description="Share of the trunk's answer dropped."
    )
    weights: TaskWeights = Field(default=TaskWeights(), description="Of the tasks.")
    training: TrainingSettings = Field(
        default=TrainingSettings(
            epochs=10,
            batch_size=256,
            rows_per_epoch=8192,
            weight_decay=0.1,
            patience=2,
        ),
        description="The loop's own numbers.",
    )


class MultiTaskNetwork(nn.Module):
    """Five answers from one trunk.

    With ``h⁰`` the window and ``A_l``, ``B_l`` the taps of layer ``l``::

        hˡ_t = silu(A_l hˡ⁻¹_{t − 2^(l−1)} + B_l hˡ⁻¹_t + c_l) + hˡ⁻¹_t
        answer = V norm(h^N_L) + c

    The first layer, which changes the number of channels, has no ``+ h`` term. The last
    bar depends on every second position of the layer below, every fourth of the one
    below that, and so on; no other is computed. ``V`` and ``c`` start at zero.

    Columns: scaled return of 1 and of H hours, log odds that each is positive, log of
    the volatility of the next H hours over the trailing one.
    """

    def __init__(self, n_channels: int, settings: MultiTaskSettings) -> None:
        super().__init__()
        n_layers = settings.window_bars.bit_length() - 1
        widths = [n_channels, *[settings.width] * (n_layers - 1)]
        self.layers = nn.ModuleList(
            nn.Linear(2 * n_in, settings.width) for n_in in widths
        )
        self.norm = nn.LayerNorm(settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = zero_head(settings.width, 2 * N_HORIZONS + 1)

    def forward(
        self, window: Float[Tensor, "rows bars channels"]
    ) -> Float[Tensor, "rows 5"]:
        """Read the windows, oldest bar first."""
        first, *later = self.layers
        hidden = nn.functional.silu(first(_pairs(window)))
        for layer in later:
            newer = hidden[:, 1::2]
            hidden = newer + nn.functional.silu(layer(_pairs(hidden)))
        return self.head(self.dropout(self.norm(hidden[:, -1])))


class MultiTaskForecaster(SequenceForecaster[MultiTaskSettings]):
    """Forecast returns while learning direction and volatility too.

    With ``e`` the errors of the scaled returns, ``ℓ`` the log losses of the directions
    and ``s`` the error of the log volatility, the loss of a row is::

        w_r (e_1² + e_H²) / 2 + w_d (ℓ_1 + ℓ_H) / 2 + w_v s²

    A part whose target is unknown counts nothing. The stopping rows judge the returns
    alone: how well volatility is known says nothing about them.
    """

    def _network(self, n_channels: int, horizons: tuple[int, int]) -> MultiTaskNetwork:
        del horizons
        if self.settings.window_bars.bit_count() != 1:
            raise ValueError(
                f"window_bars is {self.settings.window_bars}: give a power of two, as "
                "each layer joins pairs."
            )
        return MultiTaskNetwork(n_channels, self.settings)

    def _targets(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 5"]:
        returns = bars.scaled_target(rows)
        volatility = log_volatility_ahead(bars, rows)
        return np.column_stack([returns, returns > 0, volatility])

    def _stopping_targets(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 5"]:
        targets = self._targets(bars, rows)
        targets[:, N_HORIZONS:] = np.nan
        return targets

    def _row_loss(
        self, output: Float[Tensor, "rows 5"], target: Float[Tensor, "rows 5"]
    ) -> Float[Tensor, " rows"]:
        weights = self.settings.weights
        is_known = target.isfinite()
        target = target.where(is_known, 0.0)
        of_squares = (output - target).square()
        of_odds = nn.functional.binary_cross_entropy_with_logits(
            output, target, reduction="none"
        )
        returns, _, volatility = of_squares.where(is_known, 0.0).tensor_split(
            (2, 4), dim=1
        )
        direction = of_odds.where(is_known, 0.0)[:, 2:4]
        return (
            weights.returns * returns.mean(dim=1)
            + weights.direction * direction.mean(dim=1)
            + weights.volatility * volatility.mean(dim=1)
        )


def log_volatility_ahead(
    bars: AssetBars, rows: Int64[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """Log of the root mean square hourly return of the next H hours over the trailing.

    The hours are those that the label of the row spans, so both are known at once. Only
    hours that follow one of ``rows`` are looked at; NaN where these are less than half.
    """
    n_hours = max(bars.horizons)
    square = np.full(len(bars.segment) + n_hours, np.nan)
    square[rows] = np.square(bars.target[rows, 0])
    ahead = np.lib.stride_tricks.sliding_window_view(square, n_hours)[rows]
    n_known = np.isfinite(ahead).sum(axis=1)
    mean_square = np.nansum(ahead, axis=1) / np.maximum(n_known, 1)
    ratio = np.sqrt(mean_square) / bars.volatility[rows]
    log_ratio = np.log(np.maximum(ratio, SMALLEST_RATIO))
    return np.where(2 * n_known >= n_hours, log_ratio, np.nan)


def _pairs(
    hidden: Float[Tensor, "rows bars width"],
) -> Float[Tensor, "rows half doubled"]:
    """Put neighbours side by side."""
    rows, bars, width = hidden.shape
    return hidden.reshape(rows, bars // 2, 2 * width)
