"""Forecasts as the check for oracles takes them: honest ones pass, oracles do not."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.audit.forecasts import HonestBounds, refuse_oracles
from fleet_kedro.signals.suspects import of_brain, of_ensembles


def walk_of(noise: float, hours: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    outcome = 0.006 * rng.standard_normal(hours)
    return pd.DataFrame(
        {
            "forecast_1h": outcome + noise * rng.standard_normal(hours),
            "forward_log_return_1h": outcome,
        }
    )


def test_a_probability_is_counted_from_its_assets_median():
    forecasts = pd.DataFrame(
        {
            "asset": ["BTC", "ETH"] * 3,
            "probability": [0.2, 0.5, 0.4, 0.6, 0.9, 0.9],
            "forward_return": [0.01, -0.01] * 3,
        }
    )
    told = of_brain(forecasts)

    np.testing.assert_allclose(told["forecast"], [-0.2, -0.1, 0, 0, 0.5, 0.3])
    assert list(told["forward_return"]) == [0.01, -0.01] * 3


def test_a_brain_with_a_skill_passes_and_an_oracle_does_not(walk_with):
    _, honest = walk_with(skill=0.3)
    _, oracle = walk_with(skill=5.0)

    assert set(refuse_oracles(of_brain(honest), 12, HonestBounds())) == {
        *("BTC", "ETH", "SOL")
    }
    with pytest.raises(ValueError, match="too good to be true"):
        refuse_oracles(of_brain(oracle), 12, HonestBounds())


def test_the_next_price_with_noise_is_refused():
    """0.45 % of noise on the return that comes."""
    told = of_ensembles({"BTC": walk_of(0.0045)}, 1)

    with pytest.raises(ValueError, match="BTC has a correlation of"):
        refuse_oracles(told, 1, HonestBounds())
    honest = of_ensembles({"BTC": walk_of(0.1)}, 1)
    assert not refuse_oracles(honest, 1, HonestBounds())["BTC"].is_too_good


def test_without_ensembles_there_is_nothing_to_refuse():
    for walks in ({}, {"BTC": walk_of(0.0)}):
        assert refuse_oracles(of_ensembles(walks, 12), 12, HonestBounds()) == {}


def test_a_silent_ensemble_is_no_oracle():
    silent = walk_of(0.1).assign(forecast_1h=0.0)
    checked = refuse_oracles(of_ensembles({"BTC": silent}, 1), 1, HonestBounds())

    assert not checked["BTC"].is_too_good
