"""Pattern: the shape of the last bars, whatever their level and size.

A dilated causal convolution as in WaveNet (van den Oord et al. 2016, section 2.1) over
a window of the fractionally differenced log price. Kernels of two taps with dilations
1, 2, 4, … double the field at each layer, so six layers see 64 bars. Only the output at
the last bar is wanted, and it depends on every second position of the layer below,
every fourth of the one below that, and so on: 63 evaluations in all, the inner nodes of
a binary tree. Computed as that tree, the network costs a fraction of a full convolution
and gives the same number.
"""

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float32
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.config import Config
from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.learnt import Learnt
from fleet_kedro.models.training import (
    InnerSplit,
    Rows,
    TrainingSettings,
    predict,
    train,
)


class PatternSettings(Config):
    """How wide the network is, and which rows tell it when to stop."""

    channels: int = Field(default=16, ge=1, description="Channels of every layer.")
    validation_fraction: float = Field(
        default=0.15, ge=0, lt=0.5, description="Last rows, kept for early stopping."
    )
    training: TrainingSettings = Field(
        default=TrainingSettings(rows_per_epoch=32_000), description="Loop."
    )


class PatternParameters(PatternSettings):
    """The settings, and what a brain works out from its label and its assets."""

    purge_rows: int = Field(
        default=0,
        ge=0,
        description="Rows dropped before those: (horizon + 1) bars times assets.",
    )


class DilatedCausalNetwork(nn.Module):
    """Log odds at the last bar of a window of ``2**n_layers`` bars.

    With ``h⁰`` the window and ``A_l``, ``B_l`` the taps of layer ``l``::

        hˡ_t = silu(A_l hˡ⁻¹_{t − 2^(l−1)} + B_l hˡ⁻¹_t + c_l) + hˡ⁻¹_t
        logit p = v·hᴸ_T + c

    The first layer has no ``+ h`` term, as it changes the number of channels. ``v``
    starts at zero, so an untrained network answers ``c`` whatever it sees.
    """

    def __init__(
        self, n_layers: int, channels: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [1, *[channels] * n_layers]
        self.layers = nn.ModuleList(
            _linear(2 * n_in, channels, generator) for n_in in widths[:-1]
        )
        self.head = _linear(widths[-1], 1, generator)
        nn.init.zeros_(self.head.weight)

    def forward(self, window: Float[Tensor, "rows bars"]) -> Float[Tensor, " rows"]:
        """Read the windows, oldest bar first, and answer for their last bar."""
        hidden = window.unsqueeze(-1)
        for layer in self.layers:
            rows, bars, channels = hidden.shape
            pair = hidden.reshape(rows, bars // 2, 2 * channels)
            response = nn.functional.silu(layer(pair))
            newer = pair[..., channels:]
            hidden = response + newer if channels > 1 else response
        return self.head(hidden).reshape(-1)


class PatternExpert(BinaryExpert):
    """Train the network on windows, and stop when later windows say so.

    Each row of ``X`` is one asset's window inside one segment, oldest bar first; a
    width that is no power of two is filled up at its old end. Each window is centred on
    its own mean and divided by its own deviation, which uses no bar outside it and
    leaves nothing but its shape; a flat window is all zeros.

    Row order is taken as time order. The last ``validation_fraction`` of the rows are
    for early stopping, and the ``purge_rows`` before them are dropped, because their
    labels reach into the held-out span; how many that takes follows from the horizon
    and the number of assets. If it leaves less than half of all rows to learn from,
    nothing is held out and every epoch runs. Rows of weight zero are gone before any of
    this is counted. The seed is the training settings' own.

    Attributes
    ----------
    network_
        The trained formula.
    history_
        Losses of every epoch; epoch 0, the base rate alone, wins where shapes tell
        nothing. It is no part of what is handed on.
    """

    settings_type = PatternParameters
    kept: ClassVar = {"network_": Float32[np.ndarray, " weights"]}

    def __init__(
        self,
        *,
        channels: int = 16,
        validation_fraction: float = 0.15,
        purge_rows: int = 0,
        training: TrainingSettings | None = None,
    ) -> None:
        self.channels = channels
        self.validation_fraction = validation_fraction
        self.purge_rows = purge_rows
        self.training = training

    def _learn(
        self,
        X: Float[np.ndarray, "rows bars"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        settings = self._training()
        rows = self._split(Rows(_shapes(X), _tensor(y), _tensor(weight)))
        self.network_ = self._untrained(X.shape[1], settings.seed)
        nn.init.constant_(self.network_.head.bias, _base_log_odds(rows.training))
        self.history_ = train(self.network_, _log_loss, rows, settings)

    def _probability(
        self, X: Float[np.ndarray, "rows bars"]
    ) -> Float[np.ndarray, " rows"]:
        odds = predict(self.network_, _shapes(X), self._training())
        return odds.double().sigmoid().numpy()

    def _hand_on(self) -> Learnt:
        weights = [part.detach().numpy().ravel() for part in self.network_.parameters()]
        return {"network_": np.concatenate(weights)}

    def _take_over(self, learnt: Learnt) -> None:
        network = self._untrained(self.n_features_in_, seed=0)
        parts = list(network.parameters())
        sizes = [part.numel() for part in parts]
        if len(learnt["network_"]) != sum(sizes):
            raise ValueError(
                f"The network has {sum(sizes)} weights, but here are "
                f"{len(learnt['network_'])}: take the files of one model."
            )
        # Copied weight by weight: each lies in memory as that of a trained network.
        with torch.no_grad():
            weights = torch.split(torch.tensor(learnt["network_"]), sizes)
            for part, own in zip(parts, weights, strict=True):
                part.copy_(own.view_as(part))
        self.network_ = network.eval()

    def _untrained(self, n_bars: int, seed: int) -> DilatedCausalNetwork:
        """Return a network for windows that are filled up to a power of two."""
        generator = torch.Generator().manual_seed(seed)
        n_layers = (n_bars - 1).bit_length()
        return DilatedCausalNetwork(n_layers, self.channels, generator)

    def _training(self) -> TrainingSettings:
        return self.training or PatternSettings().training

    def _split(self, rows: Rows) -> InnerSplit:
        """Learn from the past, stop by the future, keep a gap between them."""
        n_rows = len(rows.weight)
        n_held_out = int(self.validation_fraction * n_rows)
        n_learnt = n_rows - n_held_out - self.purge_rows
        if n_held_out == 0 or 2 * n_learnt < n_rows:
            return InnerSplit(rows)
        return InnerSplit(
            rows.pick(slice(n_learnt)), rows.pick(slice(n_rows - n_held_out, None))
        )


def _shapes(X: Float[np.ndarray, "rows bars"]) -> Float[Tensor, "rows filled_bars"]:
    """Windows without level and size, filled up to a power of two with zeros."""
    centred = X - X.mean(axis=1, keepdims=True)
    deviation = X.std(axis=1, keepdims=True)
    shape = np.zeros_like(X)
    # A flat window's deviation is rounding alone: relative to its level, not to one.
    varies = deviation > 1e-6 * np.abs(X).max(axis=1, keepdims=True)
    np.divide(centred, deviation, out=shape, where=varies)
    missing = (1 << (X.shape[1] - 1).bit_length()) - X.shape[1]
    return _tensor(np.pad(shape, ((0, 0), (missing, 0))))


def _base_log_odds(rows: Rows) -> float:
    """Log odds of the smoothed base rate: finite where only one class was seen."""
    positive = float(rows.weight.double() @ rows.target.double())
    negative = float(rows.weight.sum(dtype=torch.float64)) - positive
    return float(np.log((positive + 1.0) / (negative + 1.0)))


def _log_loss(
    odds: Float[Tensor, " rows"], target: Float[Tensor, " rows"]
) -> Float[Tensor, " rows"]:
    return nn.functional.binary_cross_entropy_with_logits(
        odds, target, reduction="none"
    )


def _linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    """Make a linear map: weights drawn from ``generator`` alone, biases zero."""
    # On "meta" nothing is drawn from the global stream; `to_empty` would do the rest,
    # but imports a library for symbolic shapes on its way.
    layer = nn.Linear(n_in, n_out, device="meta")
    layer.weight = nn.Parameter(torch.empty(n_out, n_in))
    layer.bias = nn.Parameter(torch.zeros(n_out))
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    return layer


def _tensor(values: Float[np.ndarray, "*shape"]) -> Float[Tensor, "*shape"]:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
