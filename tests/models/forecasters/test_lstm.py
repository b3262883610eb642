import numpy as np
import pytest
import torch
from learning import share_of_attainable, walk_beside_zero

from fleet_kedro.models.forecasters.lstm import (
    LSTMForecaster,
    LSTMNetwork,
    LSTMSettings,
)


class TestAgainstSlowReference:
    def test_the_equations_bar_by_bar(self):
        torch.manual_seed(0)
        network = LSTMNetwork(3, 4, dropout=0.5).eval()
        torch.nn.init.normal_(network.head.weight)
        window = torch.randn(5, 7, 3)

        own = network.memory
        hidden = cell = torch.zeros(5, 4)
        for bar in range(7):
            # torch stacks the maps of what enters, is kept, is new, is shown.
            parts = (
                window[:, bar] @ own.weight_ih_l0.T
                + own.bias_ih_l0
                + hidden @ own.weight_hh_l0.T
                + own.bias_hh_l0
            )
            enters, keeps, new, shows = parts.chunk(4, dim=1)
            cell = keeps.sigmoid() * cell + enters.sigmoid() * new.tanh()
            hidden = shows.sigmoid() * cell.tanh()
        expected = hidden @ network.head.weight.T + network.head.bias

        torch.testing.assert_close(network(window), expected)


@pytest.mark.slow
class TestLearning:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_half_of_what_can_be_known_is_found(self, seed):
        share = share_of_attainable(LSTMForecaster(LSTMSettings()), seed)

        assert (share > 0.5).all()

    @pytest.mark.parametrize("seed", [1, 2])
    def test_on_a_random_walk_it_forecasts_next_to_nothing(self, seed):
        ratio = walk_beside_zero(LSTMForecaster(LSTMSettings()), seed)

        np.testing.assert_allclose(ratio, 1.0, atol=0.005)
