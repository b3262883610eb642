"""Transformer: every bar asks those before it what they know.

The encoder of Vaswani et al. (2017, section 3) with a causal mask. Two parts are newer:
the norm stands before each part instead of after it (Xiong et al. 2020), which needs no
warm-up of the learning rate, and distance fades attention in place of added positions
(Press et al. 2022). Only the last bar's answer is wanted, so in the last layer only the
last bar asks.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.models.forecasters.sequence import (
    SequenceForecaster,
    SequenceSettings,
    zero_head,
)
from fleet_kedro.models.training import TrainingSettings

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(queries, keys, values), each [rows heads bars depth] -> one answer per query."""


class TransformerSettings(SequenceSettings):
    """How wide and deep it is, and for how long it learns."""

    window_bars: int = Field(default=32, ge=2, description="L: bars of a window.")
    width: int = Field(default=24, ge=1, description="Numbers for each bar.")
    heads: int = Field(default=4, ge=1, description="Questions at once; split width.")
    layers: int = Field(default=2, ge=1, description="Rounds of questions.")
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of a layer's answers dropped."
    )
    training: TrainingSettings = Field(
        default=TrainingSettings(
            epochs=10, batch_size=256, rows_per_epoch=4096, weight_decay=0.1, patience=4
        ),
        description="The loop's own numbers.",
    )


def full_attention(
    queries: Float[Tensor, "rows heads asking depth"],
    keys: Float[Tensor, "rows heads bars depth"],
    values: Float[Tensor, "rows heads bars depth"],
) -> Float[Tensor, "rows heads asking depth"]:
    """Return ``softmax(Q Kᵀ / √d) V`` (Vaswani et al. 2017, equation 1)."""
    scores = queries @ keys.mT * queries.shape[-1] ** -0.5
    return scores.softmax(dim=-1) @ values


class FadingAttention(nn.Module):
    """``softmax(Q Kᵀ / √d − m_h (i − j)) V``: head ``h`` forgets at a pace of its own.

    ``i`` and ``j ≤ i`` are the bars of query and key, and ``m_h`` runs from 1/2 down to
    1/256 in a geometric row (Press et al. 2022, section 3). It stands in the place of
    positions: without a hint which bars are the recent ones, a network that sees as
    little signal as here learns them at the price of much noise.
    """

    fading: Float[Tensor, "heads bars bars"]

    def __init__(self, n_bars: int, heads: int) -> None:
        super().__init__()
        slope = 2.0 ** -torch.linspace(1.0, 8.0, heads)
        distance = torch.arange(n_bars).unsqueeze(1) - torch.arange(n_bars)
        fading = -slope[:, None, None] * distance
        fading = fading.masked_fill(distance < 0, -torch.inf)
        self.register_buffer("fading", fading, persistent=False)

    def forward(
        self,
        queries: Float[Tensor, "rows heads asking depth"],
        keys: Float[Tensor, "rows heads bars depth"],
        values: Float[Tensor, "rows heads bars depth"],
    ) -> Float[Tensor, "rows heads asking depth"]:
        """Answer the queries of the last bars, or of all."""
        scores = queries @ keys.mT * queries.shape[-1] ** -0.5
        faded = scores + self.fading[:, -queries.shape[2] :]
        return faded.softmax(dim=-1).to(values.dtype) @ values


class MultiHeadAttention(nn.Module):
    """``concat(head_1 … head_n) W_o``, with ``head_i = attend(x W_q, y W_k, y W_v)``.

    Parameters
    ----------
    attend
        How queries meet keys.
    """

    def __init__(self, width: int, heads: int, attend: Attend) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(
                f"A width of {width} cannot be split among {heads} heads: give a "
                "multiple of the heads."
            )
        self.heads = heads
        self.attend = attend
        self.query = nn.Linear(width, width)
        self.key_and_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        asking: Float[Tensor, "rows asking width"],
        asked: Float[Tensor, "rows bars width"],
    ) -> Float[Tensor, "rows asking width"]:
        """Let each of ``asking`` look at all of ``asked``."""
        key, value = self.key_and_value(asked).chunk(2, dim=-1)
        heads = self.attend(
            self._split(self.query(asking)), self._split(key), self._split(value)
        )
        return self.out(heads.transpose(1, 2).flatten(start_dim=2))

    def _split(
        self, hidden: Float[Tensor, "rows bars width"]
    ) -> Float[Tensor, "rows heads bars depth"]:
        rows, bars, width = hidden.shape
        heads = hidden.reshape(rows, bars, self.heads, width // self.heads)
        return heads.transpose(1, 2)


class FeedForward(nn.Sequential):
    """``W_2 gelu(W_1 norm(x) + b_1) + b_2``, for each bar alone."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
        )


class EncoderLayer(nn.Module):
    """``y = x + attention(norm(x))``, then ``y + feed_forward(y)``."""

    def __init__(self, width: int, attention: nn.Module, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = attention
        self.feed_forward = FeedForward(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, hidden: Float[Tensor, "rows bars width"], n_asking: int | None = None
    ) -> Float[Tensor, "rows asking width"]:
        """Answer for the last ``n_asking`` bars, or for all."""
        first = 0 if n_asking is None else hidden.shape[1] - n_asking
        normed = self.norm(hidden)
        found = self.attention(normed[:, first:], normed)
        hidden = hidden[:, first:] + self.dropout(found)
        return hidden + self.dropout(self.feed_forward(hidden))


class TransformerNetwork(nn.Module):
    """Two scaled returns from what the last bar has learnt of the others.

    With ``x`` the window::

        h⁰ = x W + b
        hˡ = layer_l(hˡ⁻¹)
        answer = V norm(h^N_L) + c

    ``V`` and ``c`` start at zero.
    """

    def __init__(self, n_channels: int, settings: TransformerSettings) -> None:
        super().__init__()
        width = settings.width
        self.embedding = nn.Linear(n_channels, width)
        self.layers = nn.ModuleList(
            EncoderLayer(
                width,
                MultiHeadAttention(
                    width,
                    settings.heads,
                    FadingAttention(settings.window_bars, settings.heads),
                ),
                settings.dropout,
            )
            for _ in range(settings.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = zero_head(width, 2)

    def forward(
        self, window: Float[Tensor, "rows bars channels"]
    ) -> Float[Tensor, "rows 2"]:
        """Read the windows, oldest bar first."""
        hidden = self.embedding(window)
        *earlier, last = self.layers
        for layer in earlier:
            hidden = layer(hidden)
        return self.head(self.norm(last(hidden, 1)[:, -1]))


class TransformerForecaster(SequenceForecaster[TransformerSettings]):
    """Forecast with attention over the last bars."""

    def _network(
        self, n_channels: int, horizons: tuple[int, int]
    ) -> TransformerNetwork:
        del horizons
        return TransformerNetwork(n_channels, self.settings)


def sinusoids(n_bars: int, width: int) -> Float[Tensor, "bars width"]:
    """Return the positions of Vaswani et al. (2017, section 3.5).

    ``P[t, 2i] = sin(t / 10000^(2i / width))``, and its cosine at ``2i + 1``; ``width``
    is even.
    """
    bar = torch.arange(n_bars, dtype=torch.float64).unsqueeze(1)
    pair = torch.arange(0, width, 2, dtype=torch.float64)
    angle = bar / 10_000.0 ** (pair / width)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()
