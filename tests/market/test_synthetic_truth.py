"""Is the stored probability the true one? By the book, and by experiment."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import xlogy
from scipy.stats import norm

from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.synthetic_dynamics import PriceDynamics
from fleet_kedro.market.synthetic_path import AssetPath, Traits
from fleet_kedro.market.synthetic_truth import upside_probability
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

HORIZON, COST = 6, 0.002
FLEET = Universe(assets=["A", "B", "C", "D", "E", "F"])


@pytest.fixture
def path() -> AssetPath:
    rng = np.random.default_rng(3)
    bars = 20
    return AssetPath(
        traits=Traits(0.01, 100.0, 1e6, -1.0),
        driver=rng.standard_normal(bars),
        volatility=0.01 * np.exp(0.3 * rng.standard_normal(bars)),
        drift=0.001 * rng.standard_normal(bars),
        log_return=np.full(bars, np.nan),
    )


DYNAMICS = PriceDynamics(
    edge=0.4,
    driver_persistence=0.8,
    own_jumps_per_year=300.0,
    common_jumps_per_year=200.0,
    jump_scale=4.0,
)


def probability_literally(path: AssetPath, d: PriceDynamics, t: int) -> float:
    """The definition: the covariance of the driver's future, term by term."""
    ahead = range(1, HORIZON + 1)
    weight = {k: d.edge * path.traits.sign * path.volatility[t + k] for k in ahead}
    phi, x = d.driver_persistence, path.driver[t]
    mean = sum(
        weight[k] * phi ** (k - 1) * x + path.drift[t + k] for k in ahead
    ) - math.log(1 + COST)
    variance = sum(path.volatility[t + k] ** 2 for k in ahead)
    # cov(x[t+a], x[t+b] | x[t]) = φ^|a−b| − φ^(a+b), and bar k is driven by x[t+k−1].
    variance += sum(
        weight[j] * weight[k] * (phi ** abs(j - k) - phi ** (j + k - 2))
        for j in ahead
        for k in ahead
    )
    rate = d.jumps_per_bar * HORIZON
    size = (d.jump_scale * path.traits.base_volatility) ** 2
    return sum(
        math.exp(-rate)
        * rate**n
        / math.factorial(n)
        * norm.cdf(mean / math.sqrt(variance + n * size))
        for n in range(40)
    )


class TestAgainstSlowReference:
    def test_equals_the_definition_row_by_row(self, path):
        found = upside_probability(path, DYNAMICS, HORIZON, COST)
        expected = [
            probability_literally(path, DYNAMICS, t) for t in range(20 - HORIZON)
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-10)

    def test_equals_the_share_of_simulated_futures(self, path):
        rng = np.random.default_rng(11)
        futures, t, phi = 200_000, 4, DYNAMICS.driver_persistence
        x, total = np.full(futures, path.driver[t]), np.zeros(futures)
        for k in range(1, HORIZON + 1):
            volatility = path.volatility[t + k]
            pull = DYNAMICS.edge * path.traits.sign * x
            jumps = rng.poisson(DYNAMICS.jumps_per_bar, futures)
            size = DYNAMICS.jump_scale * path.traits.base_volatility
            total += path.drift[t + k] + volatility * (
                pull + rng.standard_normal(futures)
            )
            total += size * np.sqrt(jumps) * rng.standard_normal(futures)
            x = phi * x + math.sqrt(1 - phi**2) * rng.standard_normal(futures)
        share = (np.expm1(total) > COST).mean()
        found = upside_probability(path, DYNAMICS, HORIZON, COST)[t]
        assert abs(share - found) < 4 * math.sqrt(found * (1 - found) / futures)


class TestProperties:
    def test_the_realised_path_is_never_looked_at(self, path):
        # ``log_return`` is NaN throughout, so a single look would show.
        assert np.isfinite(upside_probability(path, DYNAMICS, HORIZON, COST)).all()

    def test_without_edge_the_driver_does_not_matter(self, path):
        null = DYNAMICS.model_copy(update={"edge": 0.0})
        turned = path._replace(driver=-3 * path.driver)
        np.testing.assert_array_equal(
            upside_probability(path, null, HORIZON, COST),
            upside_probability(turned, null, HORIZON, COST),
        )


def labelled_rows(edge: float, **changes: object) -> pd.DataFrame:
    """Every ``HORIZON``-th row of five years: windows that touch but never overlap."""
    market = SyntheticMarket(
        seed=5,
        edge=edge,
        horizon_bars=HORIZON,
        round_trip_cost=COST,
        outages_per_year=0.0,
        **changes,
    ).generate(FLEET, Window(days=1))
    rows = []
    for asset, candles in market.candles.items():
        price = candles["open"]
        forward = price.shift(-1 - HORIZON) / price.shift(-1) - 1
        truth = market.truth.loc[market.truth["asset"] == asset]
        rows.append(
            truth.reset_index(drop=True)
            .assign(forward_return=forward)
            .iloc[: -1 - HORIZON : HORIZON]
        )
    return pd.concat(rows).assign(label=lambda f: f["forward_return"] > COST)


def z_score(residual: pd.Series, timestamp: pd.Series) -> float:
    """Mean over its standard error, rows of one stamp counted as one observation.

    Assets share a factor, so their rows are not independent; successive stamps are,
    given the past, because the windows do not overlap.
    """
    by_stamp = residual.groupby(timestamp.to_numpy()).sum()
    return float(by_stamp.sum() / np.sqrt((by_stamp**2).sum()))


def log_loss(label: pd.Series, probability: pd.Series | float) -> pd.Series:
    return -xlogy(label, probability) - xlogy(1.0 - label, 1.0 - probability)


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return labelled_rows(edge=0.15)


class TestCalibration:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"contrarian_assets": ["B", "E"]},
            {"own_jumps_per_year": 500.0, "common_jumps_per_year": 300.0},
        ],
        ids=["default", "contrarians", "many jumps"],
    )
    def test_labels_come_true_as_often_as_stated(self, changes):
        rows = labelled_rows(edge=0.15, **changes)
        residual = rows["label"] - rows["probability"]
        bins = pd.qcut(rows["probability"], 10, labels=False)
        scores = [
            z_score(residual[bins == b], rows.loc[bins == b, "timestamp"])
            for b in range(10)
        ]
        assert np.abs(scores).max() < 3.5
        assert np.square(scores).sum() < 30

    def test_a_slightly_wrong_probability_would_be_noticed(self, planted):
        # What the test above could not see would be worth nothing.
        odds = planted["probability"] / (1 - planted["probability"])
        timid = odds**0.85 / (1 + odds**0.85)
        extreme = planted["probability"] > planted["probability"].quantile(0.9)
        residual = (planted["label"] - timid)[extreme]
        assert z_score(residual, planted.loc[extreme, "timestamp"]) > 3.5

    def test_with_an_edge_it_beats_the_base_rate(self, planted):
        base = planted["label"].mean()
        gain = log_loss(planted["label"], base) - log_loss(
            planted["label"], planted["probability"]
        )
        assert z_score(gain, planted["timestamp"]) > 10

    def test_no_distortion_of_it_has_a_lower_loss(self, planted):
        odds = planted["probability"] / (1 - planted["probability"])
        best = log_loss(planted["label"], planted["probability"]).mean()
        for power in (0.7, 1.4):
            distorted = odds**power / (1 + odds**power)
            assert log_loss(planted["label"], distorted).mean() > best


class TestNullMarket:
    @pytest.mark.parametrize(
        "jumps", [{}, {"own_jumps_per_year": 1000.0, "jump_scale": 20.0}]
    )
    def test_prices_are_a_martingale(self, jumps):
        rows = labelled_rows(edge=0.0, **jumps)
        assert abs(z_score(rows["forward_return"], rows["timestamp"])) < 3.5

    def test_the_planted_drift_pays_whoever_knows_it(self, planted):
        is_signal = planted["probability"] > planted["probability"].quantile(0.875)
        taken = planted.loc[is_signal]
        net = taken["forward_return"] - COST
        assert z_score(net, taken["timestamp"]) > 3.5
