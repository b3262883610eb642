"""LSTM: a memory that decides, bar by bar, what to keep.

Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000), as torch
computes it.
"""

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.models.forecasters.sequence import (
    SequenceForecaster,
    SequenceSettings,
    zero_head,
)
from fleet_kedro.models.training import TrainingSettings


class LSTMSettings(SequenceSettings):
    """How much it remembers, and for how long it learns."""

    window_bars: int = Field(default=48, ge=2, description="L: bars of a window.")
    width: int = Field(default=24, ge=1, description="Numbers that are remembered.")
    dropout: float = Field(
        default=0.2, ge=0, lt=1, description="Share dropped before the head."
    )
    training: TrainingSettings = Field(
        default=TrainingSettings(
            epochs=10,
            batch_size=256,
            rows_per_epoch=6144,
            weight_decay=0.1,
            patience=4,
        ),
        description="The loop's own numbers.",
    )


class LSTMNetwork(nn.Module):
    """Two scaled returns from what is remembered at the last bar.

    With ``x_t`` the channels of a bar, ``σ`` the logistic function and ``⊙`` the
    product of each number with each::

        i_t = σ(W_i x_t + U_i h_{t−1} + b_i)        what enters
        f_t = σ(W_f x_t + U_f h_{t−1} + b_f)        what is kept
        o_t = σ(W_o x_t + U_o h_{t−1} + b_o)        what is shown
        g_t = tanh(W_g x_t + U_g h_{t−1} + b_g)
        c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
        h_t = o_t ⊙ tanh(c_t)
        answer = V h_L + b

    ``h_0 = c_0 = 0``; ``V`` and ``b`` start at zero.
    """

    def __init__(self, n_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.memory = nn.LSTM(n_channels, width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = zero_head(width, 2)

    def forward(
        self, window: Float[Tensor, "rows bars channels"]
    ) -> Float[Tensor, "rows 2"]:
        """Read the windows, oldest bar first."""
        shown, _ = self.memory(window)
        return self.head(self.dropout(shown[:, -1]))


class LSTMForecaster(SequenceForecaster[LSTMSettings]):
    """Forecast with an LSTM over the last bars."""

    def _network(self, n_channels: int, horizons: tuple[int, int]) -> LSTMNetwork:
        del horizons
        return LSTMNetwork(n_channels, self.settings.width, self.settings.dropout)
