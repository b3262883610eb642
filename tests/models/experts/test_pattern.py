import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from fleet_kedro.models.experts.pattern import DilatedCausalNetwork, PatternExpert
from fleet_kedro.models.training import TrainingSettings

BARS = 64
MOTIF = np.sin(np.linspace(0, 2 * np.pi, 10))
SETTINGS = TrainingSettings(epochs=6, batch_size=256)


def network(n_layers: int = 6, channels: int = 8, seed: int = 0):
    """A network whose head answers, with biases that are not zero."""
    generator = torch.Generator().manual_seed(seed)
    module = DilatedCausalNetwork(n_layers, channels, generator)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4, generator=generator)
    return module


def windows(n_rows: int, seed: int):
    """Noise at any level and size; half of the windows hold the motif, and most of
    those that do are positive.
    """
    rng = np.random.default_rng(seed)
    shape = rng.standard_normal((n_rows, BARS))
    holds = rng.random(n_rows) < 0.5
    shape[holds, -14:-4] += 2.0 * MOTIF
    y = (rng.random(n_rows) < np.where(holds, 0.9, 0.1)).astype(int)
    level, size = rng.normal(0, 5, (n_rows, 1)), rng.uniform(0.1, 10, (n_rows, 1))
    return (level + size * shape).astype(np.float32), y


class LiteralStack(nn.Module):
    """The same formula bar by bar: padded dilated convolutions, every output kept."""

    def __init__(self, tree: DilatedCausalNetwork) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        for depth, layer in enumerate(tree.layers):
            n_in, n_out = layer.in_features // 2, layer.out_features
            conv = nn.Conv1d(n_in, n_out, kernel_size=2, dilation=2**depth)
            conv.weight.data = layer.weight.data.reshape(n_out, 2, n_in).mT.clone()
            conv.bias.data = layer.bias.data
            self.convolutions.append(conv)
        self.head = tree.head

    def forward(self, window):
        hidden = window.unsqueeze(1)
        for conv in self.convolutions:
            padded = nn.functional.pad(hidden, (conv.dilation[0], 0))
            response = nn.functional.silu(conv(padded))
            hidden = response + hidden if hidden.shape[1] > 1 else response
        return self.head(hidden.mT).squeeze(-1)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("n_layers", [1, 3, 6])
    def test_the_tree_is_the_last_output_of_the_causal_convolutions(self, n_layers):
        tree = network(n_layers).double()
        literal = LiteralStack(tree).double()
        window = torch.randn(
            (20, 2**n_layers), generator=torch.Generator().manual_seed(1)
        ).double()

        with torch.no_grad():
            answer, every_bar = tree(window), literal(window)

        assert every_bar.shape == (20, 2**n_layers)
        assert answer.std() > 0.0
        torch.testing.assert_close(answer, every_bar[:, -1], rtol=1e-12, atol=1e-12)


class TestNetwork:
    def test_every_bar_of_the_window_is_seen(self):
        window = torch.randn(1, BARS, requires_grad=True)

        network()(window).sum().backward()

        assert (window.grad != 0).all()

    def test_untrained_it_answers_its_bias_whatever_it_sees(self):
        fresh = DilatedCausalNetwork(6, 8, torch.Generator().manual_seed(0))

        answer = fresh(torch.randn(5, BARS))

        assert torch.equal(answer, torch.zeros(5))

    def test_weights_come_from_the_generator_alone(self):
        before = torch.get_rng_state()
        first, second = (network(seed=3).state_dict() for _ in range(2))

        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(first[key], second[key]) for key in first)


class TestKnownValues:
    def test_a_planted_motif_is_found(self):
        X, y = windows(6000, seed=0)
        fresh, outcome = windows(2000, seed=1)
        expert = PatternExpert(training=SETTINGS).fit(X, y)

        answer = expert.predict_proba(fresh)[:, 1]

        # Knowing the motif for certain gives an AUC of 0.90.
        assert roc_auc_score(outcome, answer) > 0.86
        assert abs(answer.mean() - 0.5) < 0.05
        assert expert.history_.best_epoch > 0

    def test_noise_stays_near_the_base_rate(self):
        X, _ = windows(4000, seed=0)
        y = (np.random.default_rng(5).random(4000) < 0.3).astype(int)

        answer = PatternExpert(training=SETTINGS).fit(X, y).predict_proba(X)[:, 1]

        np.testing.assert_allclose(answer.mean(), 0.3, atol=0.05)
        assert answer.std() < 0.06


class TestProperties:
    def test_level_and_size_do_not_matter(self):
        X, y = windows(1000, seed=0)
        expert = PatternExpert(training=TrainingSettings(epochs=2)).fit(X, y)
        X = X.astype(np.float64)

        answer, moved = expert.predict_proba(X), expert.predict_proba(100 + 7 * X)

        np.testing.assert_allclose(moved, answer, atol=1e-4)

    def test_a_flat_window_has_no_shape(self):
        X, y = windows(1000, seed=0)
        expert = PatternExpert(training=TrainingSettings(epochs=2)).fit(X, y)

        flat = np.full((3, BARS), [[0.0], [0.1], [1e6]])
        answer = expert.predict_proba(flat)[:, 1]

        assert np.isfinite(answer).all()
        assert answer.min() == answer.max()

    def test_purged_rows_have_no_influence(self):
        X, y = windows(1000, seed=0)
        quick = TrainingSettings(epochs=2, batch_size=128)
        expert = PatternExpert(validation_fraction=0.2, purge_rows=100, training=quick)
        garbled = X.copy()
        garbled[700:800] = X[700:800, ::-1] ** 3
        flipped = np.where((np.arange(1000) >= 700) & (np.arange(1000) < 800), 1 - y, y)

        plain = expert.fit(X, y).predict_proba(X)
        purged = expert.fit(garbled, flipped).predict_proba(X)
        touched = expert.fit(X, np.where(np.arange(1000) == 699, 1 - y, y))

        assert plain.tobytes() == purged.tobytes()
        assert plain.tobytes() != touched.predict_proba(X).tobytes()

    def test_too_few_rows_are_all_learnt_from(self):
        X, y = windows(200, seed=0)
        quick = TrainingSettings(epochs=2)

        expert = PatternExpert(purge_rows=143, training=quick).fit(X, y)

        losses = [record.validation_loss for record in expert.history_.records]
        assert losses == [None, None, None]

    def test_the_seed_decides_the_bytes(self):
        X, y = windows(600, seed=0)

        def answer(seed):
            training = TrainingSettings(epochs=2, seed=seed)
            return PatternExpert(training=training).fit(X, y).predict_proba(X).tobytes()

        assert answer(1) == answer(1)
        assert answer(1) != answer(2)
