import numpy as np
import pytest

from fleet_kedro.metrics.trading import expectancy, net_return


class TestKnownValues:
    def test_expectancy_is_the_mean_realised_net_return(self) -> None:
        forward_return = np.array([0.010, -0.004, 0.003])
        signal = np.array([True, True, False])
        assert expectancy(signal, forward_return, 0.002) == pytest.approx(0.001)

    def test_costs_are_paid_on_every_trade(self) -> None:
        np.testing.assert_allclose(net_return(np.zeros(2), 0.002), [-0.002, -0.002])

    def test_no_signal_has_no_expectancy(self) -> None:
        assert np.isnan(expectancy(np.zeros(2, dtype=bool), np.ones(2), 0.0))
