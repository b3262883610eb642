import numpy as np
import pytest
import torch
from learning import share_of_attainable, walk_beside_zero
from planted import planted_bars
from torch import nn

from fleet_kedro.models.forecasters.multitask import (
    SMALLEST_RATIO,
    MultiTaskForecaster,
    MultiTaskNetwork,
    MultiTaskSettings,
    TaskWeights,
    log_volatility_ahead,
)

HORIZON = 12


@pytest.fixture(scope="module")
def bars():
    return planted_bars(5, 0.1, 1500, longest_window_bars=32).bars


class TestNetwork:
    def test_the_last_bar_of_padded_dilated_convolutions(self):
        torch.manual_seed(0)
        settings = MultiTaskSettings(window_bars=16, width=8)
        network = MultiTaskNetwork(3, settings).eval()
        nn.init.normal_(network.head.weight)
        window = torch.randn(5, 16, 3)

        hidden = window
        for depth, layer in enumerate(network.layers):
            older = nn.functional.pad(hidden, (0, 0, 2**depth, 0))[:, : -(2**depth)]
            response = nn.functional.silu(layer(torch.cat([older, hidden], dim=-1)))
            hidden = response + hidden if depth else response
        expected = network.head(network.norm(hidden[:, -1]))

        assert len(network.layers) == 4
        torch.testing.assert_close(network(window), expected)

    def test_every_bar_of_the_window_is_seen(self):
        torch.manual_seed(0)
        network = MultiTaskNetwork(3, MultiTaskSettings()).eval()
        nn.init.normal_(network.head.weight)
        window = torch.randn(1, 32, 3, requires_grad=True)

        (gradient,) = torch.autograd.grad(network(window).sum(), window)

        assert (gradient.abs().sum(dim=2) > 0).all()


class TestVolatilityAhead:
    def test_the_root_mean_square_of_the_hours_of_the_label(self, bars):
        rows = np.flatnonzero(bars.is_labelled)
        answer = log_volatility_ahead(bars, rows)

        for at in (0, 100, 777):
            row = rows[at]
            hours = bars.target[row : row + HORIZON, 0]
            # The hours make up the label: none of them ends later than it does.
            assert hours.sum() == pytest.approx(bars.target[row, 1])
            expected = np.log(np.sqrt(np.mean(hours**2)) / bars.volatility[row])
            assert answer[at] == pytest.approx(expected)

    def test_only_hours_behind_given_rows_are_looked_at(self, bars):
        rows = np.flatnonzero(bars.is_labelled)[:200]
        target = bars.target.copy()
        target[rows[-1] + 1 :] = np.nan
        cut = bars._replace(target=target)

        answer = log_volatility_ahead(bars, rows)

        np.testing.assert_array_equal(answer, log_volatility_ahead(cut, rows))
        # Of the last five rows' twelve hours, five or fewer are given.
        np.testing.assert_array_equal(
            np.isnan(answer), np.arange(200) >= 200 - (HORIZON // 2 - 1)
        )

    def test_a_market_that_stands_still(self, bars):
        still = bars._replace(target=np.zeros_like(bars.target))
        rows = np.flatnonzero(bars.is_labelled)[:50]

        answer = log_volatility_ahead(still, rows)[:40]

        np.testing.assert_allclose(answer, np.log(SMALLEST_RATIO))


class TestLoss:
    forecaster = MultiTaskForecaster(
        MultiTaskSettings(
            weights=TaskWeights(returns=1.0, direction=0.5, volatility=2.0)
        )
    )

    def test_known_values(self):
        output = torch.tensor([[1.0, 3.0, 0.0, 0.0, 2.0]])
        target = torch.tensor([[0.0, 1.0, 1.0, 0.0, 1.0]])

        loss = self.forecaster._row_loss(output, target)

        # (1 + 4) / 2 + 0.5 log 2 + 2 · 1
        assert loss.item() == pytest.approx(4.5 + 0.5 * np.log(2.0))

    def test_what_is_unknown_counts_nothing(self):
        output = torch.tensor([[1.0, 3.0, 9.0, 9.0, 9.0]], requires_grad=True)
        target = torch.tensor([[0.0, 1.0, *[torch.nan] * 3]])

        loss = self.forecaster._row_loss(output, target)
        (gradient,) = torch.autograd.grad(loss.sum(), output)

        assert loss.item() == pytest.approx(2.5)
        assert gradient.tolist() == [[1.0, 2.0, 0.0, 0.0, 0.0]]

    def test_stopping_rows_judge_returns_alone(self, bars):
        rows = np.flatnonzero(bars.is_labelled)[:100]

        learnt = self.forecaster._targets(bars, rows)
        judged = self.forecaster._stopping_targets(bars, rows)

        np.testing.assert_array_equal(judged[:, :2], bars.scaled_target(rows))
        assert np.isnan(judged[:, 2:]).all()
        np.testing.assert_array_equal(learnt[:, 2:4], bars.target[rows] > 0)
        assert np.isfinite(learnt[:90]).all()


class TestLearning:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_half_of_what_can_be_known_is_found(self, seed):
        forecaster = MultiTaskForecaster(MultiTaskSettings())

        assert (share_of_attainable(forecaster, seed) > 0.5).all()

    @pytest.mark.parametrize("seed", [1, 2])
    def test_on_a_random_walk_it_forecasts_next_to_nothing(self, seed):
        ratio = walk_beside_zero(MultiTaskForecaster(MultiTaskSettings()), seed)

        np.testing.assert_allclose(ratio, 1.0, atol=0.005)


class TestErrors:
    def test_a_window_that_is_no_power_of_two(self, bars):
        rows = np.flatnonzero(bars.is_labelled)

        with pytest.raises(ValueError, match="window_bars is 24: give a power of two"):
            MultiTaskForecaster(MultiTaskSettings(window_bars=24)).fit(bars, rows)
