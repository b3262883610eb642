"""One asset whose next hours are partly known, and a plain forecaster of it."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from jaxtyping import Float, Int64

from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.base import OnProgress
from fleet_kedro.models.formats import arrays_from_bytes, arrays_to_bytes

HORIZONS = (1, 12)


class RidgeForecaster:
    """Ridge regression of scaled returns on the signals of the last bar."""

    def __init__(self, penalty: float = 0.01) -> None:
        self.penalty = penalty

    def fit(
        self,
        bars: AssetBars,
        rows: Int64[np.ndarray, " rows"],
        on_progress: OnProgress | None = None,
    ) -> "RidgeForecaster":
        signals = bars.signals[rows].astype(np.float64)
        target = bars.scaled_target(rows)
        gram = signals.T @ signals + self.penalty * len(rows) * np.eye(signals.shape[1])
        self.slopes_ = np.linalg.solve(gram, signals.T @ target)
        if on_progress is not None:
            on_progress(1, 1, None)
        return self

    def predict(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        return bars.signals[rows].astype(np.float64) @ self.slopes_ * bars.unit(rows)

    @property
    def n_parameters(self) -> int:
        return self.slopes_.size

    def to_files(self) -> dict[str, bytes]:
        return {"ridge.safetensors": arrays_to_bytes({"slopes": self.slopes_})}

    def load_files(self, files: Mapping[str, bytes]) -> "RidgeForecaster":
        self.slopes_ = arrays_from_bytes(files["ridge.safetensors"])["slopes"]
        return self


def draw_bars(seed: int = 0, n_bars: int = 3600, known: float = 0.3) -> AssetBars:
    """Draw hours of which ``known`` times a slow signal, in units, can be forecast."""
    rng = np.random.default_rng(seed)
    signal = np.zeros(n_bars)
    for bar in range(1, n_bars):
        signal[bar] = 0.9 * signal[bar - 1] + np.sqrt(0.19) * rng.standard_normal()
    volatility = 0.01 * np.exp(0.3 * np.sin(np.arange(n_bars) / 300))
    step = volatility * (known * signal + rng.standard_normal(n_bars))
    # The step that follows row t is the one from the next open to the one after it.
    path = np.concatenate([[0.0], np.cumsum(step)])
    target = np.full((n_bars, 2), np.nan)
    for column, horizon in enumerate(HORIZONS):
        reached = path[horizon:] - path[:-horizon]
        target[: n_bars - horizon - 1, column] = reached[: n_bars - horizon - 1]
    is_usable = np.arange(n_bars) >= 168
    is_usable[rng.integers(168, n_bars, 20)] = False
    return AssetBars(
        timestamp=pd.date_range(
            "2023-01-01", periods=n_bars, freq="h", tz="UTC"
        ).as_unit("us"),
        segment=np.zeros(n_bars, dtype=np.int64),
        signals=np.column_stack([signal, rng.standard_normal((n_bars, 2))]).astype(
            np.float32
        ),
        channels=np.zeros((n_bars, 1), dtype=np.float32),
        close=100 * np.exp(path[:-1]),
        volatility=volatility,
        target=target,
        horizons=HORIZONS,
        is_usable=is_usable,
    )


@pytest.fixture(scope="session")
def ridge() -> type[RidgeForecaster]:
    return RidgeForecaster


@pytest.fixture(scope="session")
def drawn_bars() -> Callable[..., AssetBars]:
    return draw_bars
