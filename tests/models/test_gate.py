import numpy as np

from fleet_kedro.models.gate import GatingNetwork, oracle


def planted(rows: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Physics, asset and best expert: 0 for BTC, 1 for DOGE, 2 under the warning."""
    rng = np.random.default_rng(0)
    physics = rng.normal(size=(rows, 6))
    physics[:, 5] = rng.random(rows) < 0.3
    asset = rng.choice(["BTC", "DOGE"], size=rows)
    best = np.where(physics[:, 5] == 1, 2, np.where(asset == "BTC", 0, 1))
    return physics, asset, best


class TestKnownValues:
    def test_the_oracle_is_the_expert_with_the_lowest_loss(self) -> None:
        probability = np.array([[0.2, 0.9], [0.2, 0.9], [0.5, 0.5]])
        assert oracle(probability, np.array([True, False, True])).tolist() == [1, 0, 0]

    def test_learns_who_is_best_by_asset_and_by_physics(self) -> None:
        physics, asset, best = planted()
        gate = GatingNetwork(flags=(5,)).fit(physics, asset, best, 3)
        weights = gate.weights(physics, asset)
        assert (weights.argmax(axis=1) == best).mean() > 0.99
        assert gate.n_inputs_ == 8

    def test_without_the_embedding_the_assets_cannot_be_told_apart(self) -> None:
        physics, asset, best = planted()
        gate = GatingNetwork(use_asset_embedding=False, flags=(5,))
        weights = gate.fit(physics, asset, best, 3).weights(physics, asset)
        calm = physics[:, 5] == 0
        assert 0.4 < (weights.argmax(axis=1) == best)[calm].mean() < 0.6
        assert gate.n_inputs_ == 6


class TestProperties:
    def test_weights_are_a_distribution(self) -> None:
        physics, asset, best = planted()
        weights = GatingNetwork().fit(physics, asset, best, 5).weights(physics, asset)
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        assert (weights[:, :3] > 0).all()
        assert (weights[:, 3:] == 0).all()

    def test_an_unknown_asset_lies_between_the_known_ones(self) -> None:
        physics, asset, best = planted()
        gate = GatingNetwork(flags=(5,)).fit(physics, asset, best, 3)
        calm = np.zeros((1, 6))
        unknown = gate.weights(calm, np.array(["PEPE"]))[0]
        btc = gate.weights(calm, np.array(["BTC"]))[0]
        doge = gate.weights(calm, np.array(["DOGE"]))[0]
        assert doge[0] < unknown[0] < btc[0]

    def test_flags_pass_unscaled(self) -> None:
        physics, asset, best = planted()
        gate = GatingNetwork(flags=(5,)).fit(physics, asset, best, 3)
        assert (gate.mean_[5], gate.scale_[5]) == (0.0, 1.0)

    def test_one_expert_that_always_wins_takes_all(self) -> None:
        physics, asset, _ = planted(50)
        gate = GatingNetwork().fit(physics, asset, np.full(50, 1), 3)
        np.testing.assert_array_equal(
            gate.weights(physics, asset), np.tile([0.0, 1.0, 0.0], (50, 1))
        )
