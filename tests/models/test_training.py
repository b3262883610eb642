import numpy as np
import pytest
import torch
from torch import nn

from fleet_kedro.models.training import (
    EpochRecord,
    InnerSplit,
    Rows,
    TrainingSettings,
    predict,
    train,
)

SLOPE = torch.tensor([0.5, -1.0, 2.0])


def squared_error(output, target):
    return (output.squeeze(-1) - target) ** 2


def line(n_rows: int, seed: int = 0, noise: float = 0.0) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n_rows, 3, generator=generator)
    target = inputs @ SLOPE + noise * torch.randn(n_rows, generator=generator)
    return Rows(inputs, target, torch.ones(n_rows))


def zero_line() -> nn.Linear:
    module = nn.Linear(3, 1)
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    return module


def deep(seed: int = 0) -> nn.Module:
    """Wide enough for sums to be split over threads, with dropout to draw from."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(3, 64), nn.GELU(), nn.Dropout(0.2), nn.Linear(64, 1)
        )


def weights_of(module: nn.Module) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in module.parameters())


FAST = TrainingSettings(epochs=30, batch_size=64, learning_rate=0.05, weight_decay=0.0)


class TestKnownValues:
    def test_a_line_is_recovered(self):
        module = zero_line()

        train(module, squared_error, InnerSplit(line(1000)), FAST)

        torch.testing.assert_close(module.weight[0], SLOPE, atol=1e-2, rtol=0)

    def test_weights_decide_between_contradicting_rows(self):
        inputs = torch.zeros(200, 3)
        target = torch.arange(200) % 2
        weight = torch.where(target == 1, 3.0, 1.0)
        rows = Rows(inputs, target.float(), weight)
        module = zero_line()

        settings = FAST.model_copy(update={"batch_size": 200, "epochs": 300})
        train(module, squared_error, InnerSplit(rows), settings)

        # The weighted mean of ones and zeros at three to one.
        assert module.bias.item() == pytest.approx(0.75, abs=1e-3)

    def test_losses_are_weighted_means(self):
        rows = line(500)._replace(weight=torch.linspace(0.0, 2.0, 500))

        history = train(zero_line(), squared_error, InnerSplit(rows, rows), FAST)

        # The zero line's squared error is the squared target.
        expected = np.average(rows.target**2, weights=rows.weight)
        first = history.records[0]
        assert first.training_loss is None
        assert first.validation_loss == pytest.approx(expected, rel=1e-5)


class TestEarlyStopping:
    def test_the_best_weights_come_back(self):
        """Validation rows want the opposite slope, so each step makes it worse."""
        opposite = line(200, seed=1)
        opposite = opposite._replace(target=-opposite.target)
        module = zero_line()
        settings = FAST.model_copy(update={"patience": 3})

        history = train(
            module, squared_error, InnerSplit(line(500), opposite), settings
        )

        assert history.best_epoch == 0
        assert [record.epoch for record in history.records] == [0, 1, 2, 3]
        assert torch.equal(module.weight, torch.zeros(1, 3))

    def test_the_history_names_the_epoch_of_the_weights(self):
        rows = InnerSplit(line(300, noise=1.0), line(300, seed=1, noise=1.0))
        module = zero_line()

        history = train(module, squared_error, rows, FAST)

        with torch.no_grad():
            now = squared_error(module(rows.validation.inputs), rows.validation.target)
        losses = [record.validation_loss for record in history.records]
        assert len(losses) - 1 - history.best_epoch <= FAST.patience
        assert losses[history.best_epoch] == min(losses)
        assert now.mean().item() == pytest.approx(min(losses), rel=1e-5)

    def test_without_validation_every_epoch_runs(self):
        settings = FAST.model_copy(update={"epochs": 4})

        history = train(zero_line(), squared_error, InnerSplit(line(100)), settings)

        assert len(history.records) == 5
        assert history.best_epoch == 4


class TestProperties:
    def test_rows_of_zero_weight_have_no_influence(self):
        rows = line(400)
        silent = torch.arange(400) % 3 == 0
        garbage = Rows(
            torch.where(silent[:, None], torch.nan, rows.inputs),
            torch.where(silent, torch.inf, rows.target),
            torch.where(silent, 0.0, rows.weight),
        )
        among, alone = deep(), deep()

        train(among, squared_error, InnerSplit(garbage, garbage), FAST)
        kept = rows.pick(torch.nonzero(~silent).squeeze(1))
        train(alone, squared_error, InnerSplit(kept, kept), FAST)

        assert weights_of(among) == weights_of(alone)

    def test_the_callers_threads_do_not_change_a_byte(self):
        # torch splits a sum over threads from about 32,000 terms on.
        uneven = torch.rand(100_000, generator=torch.Generator().manual_seed(2))
        rows = InnerSplit(line(100_000, noise=1.0)._replace(weight=uneven))
        settings = TrainingSettings(epochs=2, batch_size=100_000)
        before = torch.get_num_threads()
        answers = []
        try:
            for threads in (1, 2):
                torch.set_num_threads(threads)
                module = deep()
                train(module, squared_error, rows, settings)
                asked = predict(module, rows.training.inputs, settings)
                answers.append((weights_of(module), asked.numpy().tobytes()))
                assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)

        assert answers[0] == answers[1]

    def test_the_seed_decides_the_bytes(self):
        def learnt(seed):
            module = deep()
            settings = TrainingSettings(epochs=2, seed=seed)
            train(module, squared_error, InnerSplit(line(2000)), settings)
            return weights_of(module)

        assert learnt(1) == learnt(1)
        assert learnt(1) != learnt(2)

    def test_the_callers_random_stream_is_left_alone(self):
        before = torch.get_rng_state()

        train(deep(), squared_error, InnerSplit(line(200)), FAST)

        assert torch.equal(torch.get_rng_state(), before)

    def test_the_callers_random_stream_decides_nothing(self):
        """Dropout draws from the global stream, wherever the caller left it."""
        learnt = []
        for caller_seed in (1, 2):
            module = deep()
            with torch.random.fork_rng():
                torch.manual_seed(caller_seed)
                train(module, squared_error, InnerSplit(line(200)), FAST)
            learnt.append(weights_of(module))

        assert learnt[0] == learnt[1]

    def test_an_epoch_draws_as_many_rows_as_asked(self):
        seen = []

        class Counting(nn.Linear):
            def forward(self, inputs):
                seen.append(len(inputs))
                return super().forward(inputs)

        settings = TrainingSettings(epochs=3, batch_size=40, rows_per_epoch=100)
        train(Counting(3, 1), squared_error, InnerSplit(line(1000)), settings)

        assert seen == [40, 40, 20] * 3

    def test_each_record_is_reported_as_it_is_made(self):
        told: list[EpochRecord] = []

        history = train(
            zero_line(),
            squared_error,
            InnerSplit(line(200), line(50)),
            FAST,
            told.append,
        )

        assert tuple(told) == history.records

    def test_prediction_equals_the_module_in_evaluation_mode(self):
        module, rows = deep(), line(20_000)

        answer = predict(module, rows.inputs, TrainingSettings())

        with torch.no_grad():
            expected = module.eval()(rows.inputs)
        torch.testing.assert_close(answer, expected, rtol=1e-5, atol=1e-6)


class TestErrors:
    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
    def test_a_device_that_is_not_there(self):
        settings = TrainingSettings(device="cuda")

        with pytest.raises(ValueError, match="finds no CUDA device"):
            train(zero_line(), squared_error, InnerSplit(line(10)), settings)

    @pytest.mark.parametrize("part", ["training", "validation"])
    def test_no_row_that_counts(self, part):
        rows = InnerSplit(line(10), line(10))
        silent = line(10)._replace(weight=torch.zeros(10))

        with pytest.raises(ValueError, match=f"None of the 10 {part} rows"):
            train(zero_line(), squared_error, rows._replace(**{part: silent}), FAST)
