"""One asset whose next hours are partly known: a known share can be forecast.

With four signals ``x`` that forget ``1 − φ`` of themselves each hour, the part of the
next hour's return that can be known, in units of the trailing volatility ``v``, is::

    m_t = √r² (√0.45 x₁ + √0.3 x₂ + √0.25 x₃ x₄)
    r_{t+1} = v_t m_t + √(1 − r²) σ_{t+1} e_{t+1}

``e`` is Student's t with four degrees of freedom, and ``log σ`` a slow autoregression,
so tails are heavy and volatility comes in clusters. All three terms fade by ``φ`` an
hour, hence ``E[m_{t+k} | t] = φᵏ m_t``, and over H hours ``Σ φᵏ m_t / √H`` units are
known, up to the slow drift of the unit. ``φ`` is such that both horizons are about
equally hard. Sixteen other signals, and two channels, tell nothing.

Trees find the ``x`` among the signals. Channels hold ``x₃`` and ``x₄``, but only the
steps that ``x₁`` and ``x₂`` take, so the last half dozen bars tell what they are.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from fleet_kedro.models.forecasters.bars import AssetBars, BarSettings, asset_bars

PERSISTENCE = 0.82
HORIZON_BARS = 12
VOLATILITY_BARS = 168
N_NOISE_SIGNALS = 16
USUAL_VOLATILITY = 0.007


class PlantedBars(NamedTuple):
    """The asset, and what the best forecaster would say of each bar, in units."""

    bars: AssetBars
    expected: Float[np.ndarray, "bars 2"]


def planted_bars(
    seed: int, r2: float, n_bars: int, longest_window_bars: int = 168
) -> PlantedBars:
    """Make one asset with a day's gap halfway; ``r2`` of 0 is a random walk.

    ``r2`` is the share of an hour's variance that can be known while volatility is
    steady; ``attainable_r2`` says what it came to.
    """
    rng = np.random.default_rng(seed)
    # The products of x₃ and x₄ fade as fast as x₁ if each of them fades more slowly.
    fade = np.array([PERSISTENCE, PERSISTENCE, PERSISTENCE**0.5, PERSISTENCE**0.5])
    driver, step = _fading(rng, fade, n_bars)
    noise, _ = _fading(rng, rng.uniform(0.0, 0.99, N_NOISE_SIGNALS), n_bars)
    known = np.sqrt(r2) * (
        np.sqrt(0.45) * driver[:, 0]
        + np.sqrt(0.3) * driver[:, 1]
        + np.sqrt(0.25) * driver[:, 2] * driver[:, 3]
    )
    log_return = _log_return(rng, known, r2)
    channels = np.column_stack(
        [log_return / USUAL_VOLATILITY, step[:, :2], driver[:, 2:], noise[:, :2]]
    )
    bars = _laid_out(
        log_return, np.column_stack([driver, noise]), channels, longest_window_bars
    )
    ahead = np.array([1.0, (1 - PERSISTENCE**HORIZON_BARS) / (1 - PERSISTENCE)])
    return PlantedBars(bars, known[:, np.newaxis] * ahead / np.sqrt(bars.horizons))


def attainable_r2(
    planted: PlantedBars, rows: Int64[np.ndarray, " rows"]
) -> Float[np.ndarray, "2"]:
    """Out-of-sample R² against zero, in units, of the best forecast there is."""
    target = planted.bars.scaled_target(rows)
    missed = np.square(target - planted.expected[rows]).sum(axis=0)
    return 1.0 - missed / np.square(target).sum(axis=0)


def attained_share(
    planted: PlantedBars,
    rows: Int64[np.ndarray, " rows"],
    forecast: Float[np.ndarray, "rows 2"],
) -> Float[np.ndarray, "2"]:
    """Share of the attainable R² that a forecast (log returns) has, per horizon.

    Neither knows anything of the noise, so the cross term is zero on average, and the
    share of R² is ``1 − Σ(f − m)² / Σm²``: the same number without the noise of the
    outcomes, which on a few thousand rows is as large as what is measured.
    """
    best = planted.expected[rows]
    missed = np.square(forecast / planted.bars.unit(rows) - best).sum(axis=0)
    return 1.0 - missed / np.square(best).sum(axis=0)


def _fading(
    rng: np.random.Generator, fade: Float[np.ndarray, " series"], n_bars: int
) -> tuple[Float[np.ndarray, "bars series"], Float[np.ndarray, "bars series"]]:
    """First-order autoregressions of unit variance, and their standardised steps."""
    step = rng.standard_normal((n_bars, len(fade)))
    value = step.copy()
    for bar in range(1, n_bars):
        value[bar] = fade * value[bar - 1] + np.sqrt(1 - fade**2) * step[bar]
    return value, step


def _log_return(
    rng: np.random.Generator, known: Float[np.ndarray, " bars"], r2: float
) -> Float[np.ndarray, " bars"]:
    """Hourly log returns; the known part has the size of the trailing volatility."""
    slow, _ = _fading(rng, np.array([0.99]), len(known))
    cluster = USUAL_VOLATILITY * np.exp(0.35 * slow[:, 0] - 0.35**2 / 2)
    # Student's t with four degrees of freedom has a variance of two.
    surprise = rng.standard_t(4, len(known)) / np.sqrt(2)
    log_return = np.sqrt(1 - r2) * cluster * surprise
    squares = np.square(log_return)
    trailing = squares[:VOLATILITY_BARS].sum()
    for bar in range(VOLATILITY_BARS, len(known)):
        log_return[bar] += np.sqrt(trailing / VOLATILITY_BARS) * known[bar - 1]
        squares[bar] = log_return[bar] ** 2
        trailing += squares[bar] - squares[bar - VOLATILITY_BARS]
    return log_return


def _laid_out(
    log_return: Float[np.ndarray, " bars"],
    signals: Float[np.ndarray, "bars signals"],
    channels: Float[np.ndarray, "bars channels"],
    longest_window_bars: int,
) -> AssetBars:
    """Put returns and signals on the clock, each open at the close before it."""
    n_bars = len(log_return)
    bar = np.arange(n_bars)
    is_late = bar >= n_bars // 2
    start = pd.Timestamp("2022-01-01", tz="UTC").as_unit("us")
    timestamp = start + pd.to_timedelta(bar + 24 * is_late, unit="h")
    log_close = np.log(100.0) + np.cumsum(log_return)
    candles = pd.DataFrame(
        {
            "timestamp": timestamp,
            "segment": is_late.astype(np.int64),
            "is_filled": np.zeros(n_bars, dtype=bool),
            "open": np.exp(log_close - log_return),
            "close": np.exp(log_close),
        }
    )
    signal_names = [f"signal_{number}" for number in range(signals.shape[1])]
    channel_names = [f"channel_{number}" for number in range(channels.shape[1])]
    features = pd.DataFrame(
        np.column_stack([signals, channels]).astype(np.float32),
        columns=[*signal_names, *channel_names],
    ).assign(timestamp=timestamp)
    settings = BarSettings(
        signals=tuple(signal_names),
        channels=tuple(channel_names),
        longest_window_bars=longest_window_bars,
        volatility_bars=VOLATILITY_BARS,
        horizon_bars=HORIZON_BARS,
    )
    return asset_bars(features, candles, settings)
