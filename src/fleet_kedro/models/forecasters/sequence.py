"""What the torch forecasters share: windows, units, early stopping, files.

A network reads the standardised channels of the last ``L`` bars and answers with scaled
returns; everything around that is here, once. The windows of all rows overlap, so they
are never laid out: a strided view of the channels holds them all at no cost, and a
batch's windows are copied when the network asks.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.config import Config
from fleet_kedro.models.forecasters.bars import N_HORIZONS, AssetBars
from fleet_kedro.models.forecasters.base import (
    OnProgress,
    StoppingSplit,
    inner_rows,
)
from fleet_kedro.models.formats import ARRAYS, arrays_from_bytes, arrays_to_bytes
from fleet_kedro.models.training import (
    EpochRecord,
    InnerSplit,
    Rows,
    TrainingSettings,
    predict,
    train,
)

PART_ROWS = 128
"""Windows that are in memory at once, and the height of every batch of a forecast."""

_NETWORK = "network."


class SequenceSettings(Config):
    """What every torch forecaster is told; each has defaults of its own."""

    window_bars: int = Field(
        ge=2, description="L: bars that a forecast reads, the present included."
    )
    clip_deviations: float = Field(
        default=5.0, gt=0, description="Where a standardised channel is cut off."
    )
    stopping: StoppingSplit = Field(
        default=StoppingSplit(), description="Rows that tell when to stop."
    )
    training: TrainingSettings = Field(description="The loop's own numbers.")


Settings = TypeVar("Settings", bound=SequenceSettings)


class Scaling(NamedTuple):
    """Level and size of each channel, as seen in the rows that were learnt from."""

    mean: Float[np.ndarray, " channels"]
    deviation: Float[np.ndarray, " channels"]

    @classmethod
    def of(cls, channels: Float32[np.ndarray, "rows channels"]) -> "Scaling":
        """Measure each channel; one that never varies is left in its own units."""
        mean = channels.mean(axis=0, dtype=np.float64)
        deviation = channels.std(axis=0, dtype=np.float64)
        # A constant's deviation is rounding alone: relative to its level, not to one.
        varies = deviation > 1e-6 * np.abs(channels).max(axis=0)
        return cls(mean, np.where(varies, deviation, 1.0))

    def standardise(
        self, channels: Float32[np.ndarray, "bars channels"], clip_deviations: float
    ) -> Float32[Tensor, "bars channels"]:
        """Return ``clip((x − mean) / deviation, ± clip_deviations)``; NaN stays NaN."""
        mean, deviation = (torch.tensor(part) for part in self)
        standard = (torch.tensor(channels) - mean) / deviation
        return standard.clamp(-clip_deviations, clip_deviations).float()


class Windowed(nn.Module):
    """A network that is asked by number of a bar and looks up the window behind it."""

    channels: Float32[Tensor, "bars channels"]

    def __init__(
        self,
        network: nn.Module,
        channels: Float32[Tensor, "bars channels"],
        window_bars: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.window_bars = window_bars
        # Moves to the device with the weights, but is not one of them.
        self.register_buffer("channels", channels.contiguous(), persistent=False)

    def forward(self, rows: Int64[Tensor, " rows"]) -> Float[Tensor, "rows outputs"]:
        """Answer for each row, a part at a time, whatever the height of the batch."""
        parts = [
            self.network(self.windows(part)) for part in torch.split(rows, PART_ROWS)
        ]
        return torch.cat(parts)

    def windows(
        self, rows: Int64[Tensor, " rows"]
    ) -> Float32[Tensor, "rows bars channels"]:
        """Copy the windows that end at ``rows``, oldest bar first."""
        n_bars, n_channels = self.channels.shape
        every = self.channels.as_strided(
            (n_bars - self.window_bars + 1, self.window_bars, n_channels),
            (n_channels, n_channels, 1),
        )
        return every[rows - (self.window_bars - 1)]


class SequenceForecaster(ABC, Generic[Settings]):
    """A network over windows of channels, as a forecaster.

    Targets are log returns in units of trailing volatility, ``r_h / (σ √h)``, and a
    forecast is the network's answer times that unit. The loss is the mean squared error
    of both horizons. Channels are standardised by what the learnt rows show, not by the
    later ones that tell when to stop.

    Networks end in a head of zeros, so before the first step they forecast zero, and
    one that finds nothing goes back there. What they find is shrunk towards zero,
    horizon by horizon, by what the stopping rows say of it: see ``shrinkage``.

    Attributes
    ----------
    network_
        The trained formula: windows to scaled returns, in its first two columns.
    scaling_, shrinkage_
        What stands before it and behind it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def _network(self, n_channels: int, horizons: tuple[int, int]) -> nn.Module:
        """Make the network; its weights may draw from torch's global stream."""

    def fit(
        self,
        bars: AssetBars,
        rows: Int64[np.ndarray, " rows"],
        on_progress: OnProgress | None = None,
    ) -> "SequenceForecaster[Settings]":
        """Learn from labelled ``rows``, in time order; the last ones tell when to stop.

        Raises
        ------
        ValueError
            If a window crosses a border, or either part is left without a row.
        """
        settings = self.settings.training
        learnt, stopping = inner_rows(bars, rows, self.settings.stopping)
        self.scaling_ = Scaling.of(bars.channels[learnt])
        self._build(bars.channels.shape[1], bars.horizons)
        split = InnerSplit(
            _rows(learnt, self._targets(bars, learnt)),
            _rows(stopping, self._stopping_targets(bars, stopping)),
        )

        def tell(record: EpochRecord) -> None:
            if on_progress is not None:
                on_progress(record.epoch, settings.epochs, record.validation_loss)

        module = self._windowed(bars, rows)
        self.history_ = train(module, self._row_loss, split, settings, tell)
        self.shrinkage_ = shrinkage(
            self._raw_forecast(bars, stopping),
            bars.scaled_target(stopping),
            block_rows=2 * max(bars.horizons),
        )
        return self

    def predict(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Return the expected log return of 1 and of H hours.

        Raises
        ------
        ValueError
            If a window crosses a border.
        """
        scaled = self.shrinkage_ * self._raw_forecast(bars, rows)
        return scaled * bars.unit(rows)

    @property
    def n_parameters(self) -> int:
        """Weights of the network; none before it has learnt."""
        if not hasattr(self, "network_"):
            return 0
        return sum(weights.numel() for weights in self.network_.parameters())

    def to_files(self) -> dict[str, bytes]:
        """Return weights, scaling and shrinkage as one file of arrays."""
        weights = self.network_.state_dict()
        arrays = {_NETWORK + name: part.numpy() for name, part in weights.items()}
        arrays |= self.scaling_._asdict() | {
            "shrinkage": self.shrinkage_,
            "horizons": np.array(self._horizons),
        }
        return {ARRAYS: arrays_to_bytes(arrays)}

    def load_files(self, files: Mapping[str, bytes]) -> "SequenceForecaster[Settings]":
        """Take over what was learnt under the same settings."""
        arrays = arrays_from_bytes(files[ARRAYS])
        self.scaling_ = Scaling(arrays["mean"], arrays["deviation"])
        self.shrinkage_ = arrays["shrinkage"]
        one, longest = arrays["horizons"].tolist()
        self._build(len(self.scaling_.mean), (one, longest))
        weights = {
            name.removeprefix(_NETWORK): torch.tensor(part)
            for name, part in arrays.items()
            if name.startswith(_NETWORK)
        }
        self.network_.load_state_dict(weights)
        return self

    def _targets(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows targets"]:
        """Return what the network learns; scaled returns in the first two columns."""
        return bars.scaled_target(rows)

    def _stopping_targets(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows targets"]:
        """Return what it is judged by."""
        return self._targets(bars, rows)

    def _row_loss(
        self,
        output: Float[Tensor, "rows outputs"],
        target: Float[Tensor, "rows targets"],
    ) -> Float[Tensor, " rows"]:
        """Return how wrong each row is: the mean squared error of both horizons."""
        return (output - target).square().mean(dim=1)

    def _build(self, n_channels: int, horizons: tuple[int, int]) -> None:
        """Make the network: a seed gives the same one, whatever the caller's stream."""
        self._horizons = horizons
        with torch.random.fork_rng():
            torch.manual_seed(self.settings.training.seed)
            self.network_ = self._network(n_channels, horizons).eval()

    def _windowed(self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]) -> Windowed:
        """Put the channels before the network, if all windows stay within borders."""
        n_bars = self.settings.window_bars
        first = rows - (n_bars - 1)
        inside = (first >= 0) & (
            bars.segment[np.maximum(first, 0)] == bars.segment[rows]
        )
        if not inside.all():
            raise ValueError(
                f"{(~inside).sum()} of {len(rows)} rows have less than {n_bars} bars "
                "of their segment behind them: longest_window_bars has to cover "
                f"window_bars = {n_bars}."
            )
        channels = self.scaling_.standardise(
            bars.channels, self.settings.clip_deviations
        )
        return Windowed(self.network_, channels, n_bars)

    def _raw_forecast(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Ask the network, in parts of one height.

        Matrix libraries pick their kernels by the height of a batch and two kernels may
        round differently, so the last part is filled up with copies of the first row.
        """
        if not len(rows):
            return np.zeros((0, N_HORIZONS))
        filler = np.full(-len(rows) % PART_ROWS, rows[0])
        asked = torch.from_numpy(np.concatenate([rows, filler]))
        module = self._windowed(bars, rows)
        answer = predict(module, asked, self.settings.training)
        return answer[: len(rows), :N_HORIZONS].double().numpy()


def zero_head(n_in: int, n_out: int) -> nn.Linear:
    """Make a linear map of zeros: a network that ends in it starts at nothing."""
    head = nn.Linear(n_in, n_out)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def shrinkage(
    forecast: Float[np.ndarray, "rows 2"],
    target: Float[np.ndarray, "rows 2"],
    block_rows: int,
) -> Float[np.ndarray, " 2"]:
    """Return how much of each horizon's forecast to believe, from 0 to 1.

    ``λ = Σ f y / Σ f²`` is the least squares factor, and ``v`` its variance, from sums
    over blocks, as labels of neighbours overlap::

        v = Σ_b (Σ_{t in b} f_t (y_t − λ f_t))² / (Σ f²)²
        answer = clip(λ (1 − 2 v / λ²)₊, 0, 1)

    Chance alone brings ``λ² = v``, once where the factor is fitted and once more where
    it is used, and both are taken off: nothing is left of a factor below √2 of its own
    standard errors, and a clear one keeps nearly all (in the manner of James and Stein
    1961, positive part).
    """
    power = np.square(forecast).sum(axis=0)
    safe_power = np.where(power > 0, power, 1.0)
    factor = (forecast * target).sum(axis=0) / safe_power
    block = np.arange(0, len(forecast), block_rows)
    missed = np.add.reduceat(forecast * (target - factor * forecast), block, axis=0)
    variance = np.square(missed).sum(axis=0) / safe_power**2
    is_clear = (factor > 0) & (factor**2 > 2.0 * variance)
    left = factor - 2.0 * variance / np.where(is_clear, factor, 1.0)
    return np.where(is_clear, np.minimum(left, 1.0), 0.0)


def _rows(
    rows: Int64[np.ndarray, " rows"], target: Float[np.ndarray, "rows targets"]
) -> Rows:
    """Lay rows out for the loop: by number, all of one weight."""
    return Rows(
        torch.tensor(rows),
        torch.tensor(target, dtype=torch.float32),
        torch.ones(len(rows)),
    )
