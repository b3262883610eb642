import numpy as np
import pytest
from scipy.optimize import check_grad

from fleet_kedro.models.gate import GatingNetwork, _MixtureLoss, oracle


def planted(
    rows: int = 4000,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Physics, one-hot code, forecasts, outcomes, and who knows the outcome's odds.

    Expert 0 knows BTC, 1 knows DOGE, 2 knows either under the warning; whoever does not
    know says one half.
    """
    rng = np.random.default_rng(0)
    physics = rng.normal(size=(rows, 6))
    physics[:, 5] = rng.random(rows) < 0.3
    is_doge = rng.random(rows) < 0.5
    best = np.where(physics[:, 5] == 1, 2, is_doge.astype(int))
    odds = np.where(rng.random(rows) < 0.5, 0.9, 0.1)
    forecasts = np.full((rows, 3), 0.5)
    forecasts[np.arange(rows), best] = odds
    code = np.column_stack([~is_doge, is_doge]).astype(np.float64)
    return physics, code, forecasts, rng.random(rows) < odds, best


def fitted(**changes: float) -> GatingNetwork:
    physics, code, forecasts, outcome, _ = planted()
    return GatingNetwork(flags=(5,), **changes).fit(physics, code, forecasts, outcome)


class TestKnownValues:
    def test_the_oracle_shares_a_row_by_what_each_gave_to_the_outcome(self) -> None:
        forecasts = np.array([[0.2, 0.6], [0.2, 0.6]])
        equal = np.full((2, 2), 0.5)
        shares = oracle(forecasts, np.array([True, False]), equal)
        np.testing.assert_allclose(shares, [[0.25, 0.75], [2 / 3, 1 / 3]])

    def test_learns_who_is_best_by_asset_and_by_physics(self) -> None:
        physics, code, _, _, best = planted()
        gate = fitted(penalty=1e-4)
        weights = gate.weights(physics, code)
        assert (weights.argmax(axis=1) == best).mean() > 0.99
        assert gate.n_inputs_ == 8

    def test_without_a_code_the_assets_cannot_be_told_apart(self) -> None:
        physics, _, forecasts, outcome, best = planted()
        none = np.zeros((len(physics), 0))
        gate = GatingNetwork(flags=(5,)).fit(physics, none, forecasts, outcome)
        weights = gate.weights(physics, none)
        calm = physics[:, 5] == 0
        assert 0.4 < (weights.argmax(axis=1) == best)[calm].mean() < 0.6
        assert gate.n_inputs_ == 6

    def test_experts_that_agree_weigh_the_same(self) -> None:
        physics, code, forecasts, outcome, _ = planted(500)
        same = np.repeat(forecasts[:, :1], 4, axis=1)
        weights = GatingNetwork().fit(physics, code, same, outcome)
        np.testing.assert_allclose(weights.weights(physics, code), 0.25, atol=1e-6)


class TestAgainstSlowReference:
    def test_the_gradient_is_that_of_the_loss(self) -> None:
        physics, code, forecasts, outcome, _ = planted(200)
        loss = _MixtureLoss(np.hstack([physics, code]), forecasts, outcome, 0.02, 0.01)
        at = np.random.default_rng(1).normal(size=9 * 3)
        error = check_grad(
            lambda w: loss.loss_and_gradient(w)[0],
            lambda w: loss.loss_and_gradient(w)[1],
            at,
        )
        assert error < 1e-5


class TestProperties:
    def test_weights_are_a_distribution(self) -> None:
        physics, code, *_ = planted()
        weights = fitted().weights(physics, code)
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        assert (weights > 0).all()

    def test_balance_keeps_a_poor_expert_from_starving(self) -> None:
        physics, code, forecasts, outcome, _ = planted()
        forecasts[:, 1] = 0.5
        shares = [
            GatingNetwork(flags=(5,), penalty=10.0, balance=balance)
            .fit(physics, code, forecasts, outcome)
            .weights(physics, code)[:, 1]
            .mean()
            for balance in (0.0, 1e-2, 10.0)
        ]
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1 / 3, abs=0.1)

    def test_an_unknown_asset_lies_between_the_known_ones(self) -> None:
        gate = fitted()
        calm = np.zeros((1, 6))
        btc, doge, unknown = (
            gate.weights(calm, np.array([code]))[0]
            for code in ([1.0, 0.0], [0.0, 1.0], [0.0, 0.0])
        )
        assert doge[0] < unknown[0] < btc[0]

    def test_flags_pass_unscaled(self) -> None:
        gate = fitted()
        assert (gate.mean_[5], gate.scale_[5]) == (0.0, 1.0)

    def test_no_row_depends_on_its_company(self) -> None:
        physics, code, *_ = planted()
        gate = fitted()
        np.testing.assert_array_equal(
            gate.weights(physics, code)[:7], gate.weights(physics[:7], code[:7])
        )
