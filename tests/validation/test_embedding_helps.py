"""Whether knowing the asset helps where assets differ, and harms nowhere else.

Both worlds have the same inputs and the same draws. In the first one half of the assets
follow a driver that everybody sees, and the other half do the opposite; in the second
one all of them follow it. The brain is the whole one: six experts, gate, calibration.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.classification import log_loss
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.embedding import EmbeddingKind
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.rows import input_columns, surface_columns

pytestmark = pytest.mark.slow

ASSETS = ("ADA", "BNB", "BTC", "DOGE", "ETH", "LTC", "SOL", "XRP")
CONTRARIAN = ("BNB", "DOGE", "LTC", "XRP")
TRAINING_HOURS, FORECAST_HOURS = 1800, 1200
PATTERN_BARS = 16
SIGNALS = ("momentum_3", "rsi_13")
SLOPE = 0.8  # log odds per unit of the driver
BOOTSTRAP = BlockBootstrap(block_days=3, draws=1000, level=0.90, seed=0)
# Where all assets are alike, a code is one more thing to estimate: seven idle columns
# of a one-hot code cost about a ten-thousandth of a nat. Five times that would be harm;
# the driver is worth a hundred times as much again.
MOST_HARM = 0.0005


def draw_inputs(seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Rows of all assets hour by hour; the driver stands in the first latent."""
    rng = np.random.default_rng(seed)
    hours = TRAINING_HOURS + FORECAST_HOURS
    driver = rng.standard_normal((hours, len(ASSETS)))
    for hour in range(1, hours):
        driver[hour] = 0.8 * driver[hour - 1] + 0.6 * driver[hour]
    n_rows = driver.size
    latents = rng.standard_normal((n_rows, 6))
    latents[:, 0] = driver.ravel()
    own = rng.standard_normal((n_rows, len(input_columns(PATTERN_BARS))))
    inputs = pd.DataFrame(own, columns=input_columns(PATTERN_BARS)).assign(
        physics_stability_warning=(rng.random(n_rows) < 0.06).astype(float),
        elastic_return_volatility=rng.uniform(0.01, 0.05, n_rows),
    )
    seen = {
        f"latent_{place:02d}": latents[:, place] for place in range(latents.shape[1])
    } | {
        name: driver.ravel() + rng.standard_normal(n_rows)
        for name in surface_columns(SIGNALS).values()
    }
    X = pd.concat([pd.DataFrame(seen), inputs], axis="columns").astype(np.float32)
    return X, np.tile(ASSETS, hours), rng.random(n_rows)


def outcomes(
    X: pd.DataFrame, asset: np.ndarray, luck: np.ndarray, contrarian: tuple[str, ...]
) -> np.ndarray:
    sign = np.where(np.isin(asset, contrarian), -1.0, 1.0)
    chance = 1 / (1 + np.exp(-SLOPE * sign * X["latent_00"].to_numpy()))
    return luck < chance


@cache
def losses(kind: EmbeddingKind, contrarian: tuple[str, ...]) -> np.ndarray:
    """Log-loss of each forecast of rows that come after all training rows."""
    X, asset, luck = draw_inputs(seed=0)
    y = outcomes(X, asset, luck, contrarian)
    settings = BrainSettings(
        label=Label(horizon_bars=12, round_trip_cost=0.002),
        refiner=RefinerSettings(
            n_latents=6, max_cluster_size=8, variance_kept=0.9, link_block_days=5
        ),
        experts=ExpertsSettings(),
        use_asset_embedding=kind,
        use_energy=False,
        mask_chaos=False,
        gate_penalty=0.01,
        gate_balance=0.0005,
        surface_signals=SIGNALS,
        pattern_bars=PATTERN_BARS,
        seed=7,
    )
    n_learnt = TRAINING_HOURS * len(ASSETS)
    learnt, later = slice(n_learnt), slice(n_learnt, None)
    brain = settings.unfitted(len(ASSETS)).fit(
        X[learnt], y[learnt], asset=asset[learnt]
    )
    said = brain.forecast(X[later], asset[later]).probability
    return log_loss(said, y[later])


def advantage(
    kind: EmbeddingKind, contrarian: tuple[str, ...]
) -> tuple[float, float, float]:
    """Return by how much a code lowers the mean log-loss, with its interval."""
    gain = losses("off", contrarian) - losses(kind, contrarian)
    daily = gain.reshape(-1, 24 * len(ASSETS)).sum(axis=1, keepdims=True)
    drawn = BOOTSTRAP.resampled_sums(daily)[:, 0] / gain.size
    return float(gain.mean()), *BOOTSTRAP.interval(drawn)


@pytest.mark.parametrize("kind", ["one_hot", "learned"])
def test_where_half_of_the_assets_are_contrarian_a_code_helps(kind: EmbeddingKind):
    gain, low, high = advantage(kind, CONTRARIAN)

    assert low > 0
    assert low < gain < high


@pytest.mark.parametrize("kind", ["one_hot", "learned"])
def test_where_all_assets_are_alike_a_code_does_no_harm(kind: EmbeddingKind):
    gain, low, high = advantage(kind, ())

    assert -MOST_HARM < low < gain < high < MOST_HARM
