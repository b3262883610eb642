"""Informer: a week of bars, at the price of a few questions.

Zhou et al. (2021, "Informer: Beyond Efficient Transformer for Long Sequence Time-Series
Forecasting", section 3). Most queries of an attention layer look at all keys alike and
could as well take the mean; ProbSparse attention finds the few that do not and asks
only for them. Distilling halves the sequence between layers. A decoder answers for all
horizons in one pass.

Where this differs: one fixed sample of keys serves all queries of a layer, where the
paper draws anew for each query and call, so that a forecast depends on nothing but its
window, and the keys need no gathering. Norms come before the parts. The hour of the
day, which the paper embeds apart, is among the channels.
"""

import math

import torch
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.models.forecasters.bars import N_HORIZONS
from fleet_kedro.models.forecasters.sequence import (
    SequenceForecaster,
    SequenceSettings,
    zero_head,
)
from fleet_kedro.models.forecasters.transformer import (
    EncoderLayer,
    FeedForward,
    MultiHeadAttention,
    full_attention,
    sinusoids,
)
from fleet_kedro.models.training import TrainingSettings


class InformerSettings(SequenceSettings):
    """How wide and deep it is, how sparsely it asks, and for how long it learns."""

    window_bars: int = Field(default=168, ge=8, description="L: bars of a window.")
    start_bars: int = Field(
        default=8, ge=1, description="Last bars that the decoder starts from."
    )
    width: int = Field(
        default=24, ge=2, multiple_of=2, description="Numbers for each bar."
    )
    heads: int = Field(default=3, ge=1, description="Questions at once; split width.")
    layers: int = Field(
        default=2, ge=1, description="Of the encoder; bars halve in between."
    )
    factor: float = Field(
        default=3.0, gt=0, description="c: of L bars, c ⌈ln L⌉ ask and are sampled."
    )
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of a layer's answers dropped."
    )
    training: TrainingSettings = Field(
        default=TrainingSettings(
            epochs=7, batch_size=256, rows_per_epoch=4096, weight_decay=0.1, patience=3
        ),
        description="The loop's own numbers.",
    )


class ProbSparseAttention(nn.Module):
    """Full attention for the ``u`` most particular queries, a mean for the others.

    How particular a query is, over ``U`` sampled keys (equation 4)::

        M(q, K) = max_j (q · k_j / √d) − 1/U Σ_j q · k_j / √d

    The ``u`` queries of largest ``M`` get ``softmax(q Kᵀ / √d) V`` (equation 3), the
    others the mean of ``V``; with a mask, of the values up to their own bar. With
    ``u = U = c ⌈ln L⌉`` that is ``O(L log L)``; with ``u = L`` it is full attention.

    Parameters
    ----------
    n_bars
        L, of queries and keys alike.
    is_causal
        Whether a bar may see those before it only. The choice of queries looks at the
        whole sample.
    """

    sample: Int64[Tensor, " sampled"]

    def __init__(self, n_bars: int, factor: float, *, is_causal: bool = False) -> None:
        super().__init__()
        self.n_asking = min(n_bars, round(factor * math.ceil(math.log(n_bars))))
        self.is_causal = is_causal
        # A weight like any other, though nobody learns it: it is stored with them.
        sample = torch.randperm(n_bars)[: self.n_asking].sort().values
        self.register_buffer("sample", sample)

    def forward(
        self,
        queries: Float[Tensor, "rows heads bars depth"],
        keys: Float[Tensor, "rows heads bars depth"],
        values: Float[Tensor, "rows heads bars depth"],
    ) -> Float[Tensor, "rows heads bars depth"]:
        """Return one answer per query."""
        asking = self.particular(queries, keys)
        wide = asking.unsqueeze(-1).expand(-1, -1, -1, queries.shape[-1])
        scores = queries.gather(2, wide) @ keys.mT * queries.shape[-1] ** -0.5
        if self.is_causal:
            bar = torch.arange(keys.shape[2], device=keys.device)
            scores = scores.masked_fill(bar > asking.unsqueeze(-1), -torch.inf)
        found = scores.softmax(dim=-1).to(values.dtype) @ values
        return self._usual(values).scatter(2, wide, found)

    def particular(
        self,
        queries: Float[Tensor, "rows heads bars depth"],
        keys: Float[Tensor, "rows heads bars depth"],
    ) -> Int64[Tensor, "rows heads asking"]:
        """Find the queries that prefer some of the sampled keys most."""
        with torch.no_grad():
            # 1/√d scales all alike and moves no query ahead of another.
            scores = queries @ keys[:, :, self.sample].mT
            preference = scores.amax(dim=-1) - scores.mean(dim=-1)
            return preference.topk(self.n_asking, dim=-1, sorted=False).indices

    def _usual(
        self, values: Float[Tensor, "rows heads bars depth"]
    ) -> Float[Tensor, "rows heads bars depth"]:
        """Answer for queries that look at all they may see alike."""
        if not self.is_causal:
            return values.mean(dim=2, keepdim=True).expand_as(values)
        n_seen = torch.arange(1, values.shape[2] + 1, device=values.device)
        return (values.cumsum(dim=2) / n_seen.unsqueeze(-1)).to(values.dtype)


class Distilling(nn.Module):
    """``MaxPool(elu(Conv1d(x)))`` (equation 5): half as many bars, the strongest."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, kernel_size=3, padding=1)

    def forward(
        self, hidden: Float[Tensor, "rows bars width"]
    ) -> Float[Tensor, "rows half width"]:
        """Halve the sequence, rounding up."""
        response = nn.functional.elu(self.convolution(hidden.mT))
        return nn.functional.max_pool1d(response, 3, stride=2, padding=1).mT


class Encoder(nn.Module):
    """ProbSparse layers with distilling in between."""

    def __init__(self, settings: InformerSettings) -> None:
        super().__init__()
        width, n_bars = settings.width, settings.window_bars
        parts: list[nn.Module] = []
        for number in range(settings.layers):
            if number:
                parts.append(Distilling(width))
                n_bars = (n_bars + 1) // 2
            sparse = ProbSparseAttention(n_bars, settings.factor)
            attention = MultiHeadAttention(width, settings.heads, sparse)
            parts.append(EncoderLayer(width, attention, settings.dropout))
        self.parts = nn.Sequential(*parts, nn.LayerNorm(width))

    def forward(
        self, hidden: Float[Tensor, "rows bars width"]
    ) -> Float[Tensor, "rows fewer width"]:
        """Return what is left of the bars."""
        return self.parts(hidden)


class Decoder(nn.Module):
    """Masked ProbSparse attention to itself, full attention to the encoder's bars."""

    def __init__(self, n_bars: int, settings: InformerSettings) -> None:
        super().__init__()
        width, heads = settings.width, settings.heads
        sparse = ProbSparseAttention(n_bars, settings.factor, is_causal=True)
        self.own = EncoderLayer(
            width, MultiHeadAttention(width, heads, sparse), settings.dropout
        )
        self.norm = nn.LayerNorm(width)
        self.across = MultiHeadAttention(width, heads, full_attention)
        self.feed_forward = FeedForward(width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self,
        hidden: Float[Tensor, "rows bars width"],
        encoded: Float[Tensor, "rows fewer width"],
        n_ahead: int,
    ) -> Float[Tensor, "rows ahead width"]:
        """Answer for the last ``n_ahead`` places."""
        hidden = self.own(hidden)[:, -n_ahead:]
        hidden = hidden + self.dropout(self.across(self.norm(hidden), encoded))
        return hidden + self.dropout(self.feed_forward(hidden))


class InformerNetwork(nn.Module):
    """Two scaled returns, both horizons in one pass.

    The encoder reads the window, the decoder ``concat(X_start, X_0)`` (equation 6): the
    last bars as they are, and an empty place for each horizon that knows only where it
    stands, ``h`` hours after the last bar. With ``P`` the positions::

        h⁰ = conv(x) + P
        answer_h = V norm(decoder(h⁰_start, encoder(h⁰))_h) + c

    ``V`` and ``c`` start at zero. The paper has a place for every hour up to the last;
    only those that are asked for are kept here.
    """

    positions: Float[Tensor, "places width"]

    def __init__(
        self,
        n_channels: int,
        horizons: tuple[int, int],
        settings: InformerSettings,
    ) -> None:
        super().__init__()
        width, n_bars = settings.width, settings.window_bars
        self.n_start = min(settings.start_bars, n_bars)
        self.embedding = nn.Conv1d(n_channels, width, kernel_size=3, padding=1)
        place = [*range(n_bars), *(n_bars - 1 + hours for hours in horizons)]
        positions = sinusoids(n_bars + max(horizons), width)[place]
        self.register_buffer("positions", positions, persistent=False)
        self.encoder = Encoder(settings)
        self.decoder = Decoder(self.n_start + N_HORIZONS, settings)
        self.head = nn.Sequential(nn.LayerNorm(width), zero_head(width, 1))

    def forward(
        self, window: Float[Tensor, "rows bars channels"]
    ) -> Float[Tensor, "rows 2"]:
        """Read the windows, oldest bar first."""
        known = self.embedding(window.mT)
        placed = nn.functional.pad(known, (0, N_HORIZONS)).mT + self.positions
        encoded = self.encoder(placed[:, :-N_HORIZONS])
        start = placed[:, -(self.n_start + N_HORIZONS) :]
        return self.head(self.decoder(start, encoded, N_HORIZONS)).squeeze(-1)


class InformerForecaster(SequenceForecaster[InformerSettings]):
    """Forecast with sparse attention over a week of bars."""

    def _network(self, n_channels: int, horizons: tuple[int, int]) -> InformerNetwork:
        return InformerNetwork(n_channels, horizons, self.settings)
