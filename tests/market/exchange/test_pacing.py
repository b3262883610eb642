import threading

import numpy as np
import pytest

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.pacing import Pace


class TestKnownValues:
    def test_a_request_waits_until_its_forerunner_is_granted(self, hourglass):
        pace = Pace("binance", hourglass.clock(), share=0.5)

        for weight in (1.0, 3.0, 1.0):
            pace.wait_turn(weight)

        assert hourglass.slept == [2.0, 6.0]

    def test_light_requests_keep_the_least_distance(self, hourglass):
        pace = Pace("binance", hourglass.clock(), least_seconds=0.25)

        for _ in range(5):
            pace.wait_turn(0.01)

        assert hourglass.timer() == pytest.approx(1.0)

    def test_nobody_asks_while_the_exchange_is_closed(self, hourglass):
        pace = Pace("binance", hourglass.clock())
        pace.close_for(30.0)
        pace.close_for(10.0)  # the longer one counts

        pace.wait_turn(1.0)

        assert hourglass.timer() == pytest.approx(30)


class TestProperties:
    def test_no_minute_holds_more_than_its_share_however_it_is_cut(self, hourglass):
        pace = Pace("binance", hourglass.clock(), share=0.8)
        rng = np.random.default_rng(4)
        sent = []
        for weight in rng.choice([1, 2, 20], 4000, p=[0.3, 0.6, 0.1]):
            pace.wait_turn(weight / 100)  # a hundred a second are granted
            sent.append((hourglass.timer(), weight))
        at, weights = np.array(sent).T

        for offset in np.linspace(0, 60, 25):
            used = np.bincount(((at + offset) // 60).astype(int), weights)
            assert used.max() <= 6000 * 0.8 + 20

    def test_threads_share_one_pace(self):
        pace = Pace("binance", Clock(), least_seconds=0.02)
        times: list[float] = []

        def ask() -> None:
            for _ in range(5):
                pace.wait_turn(0.0)
                times.append(Clock().timer())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(times) == 20
        assert max(times) - min(times) >= 19 * 0.02 - 0.015


class TestErrors:
    def test_a_wait_that_nobody_would_wait_is_refused(self, hourglass):
        pace = Pace("binance", hourglass.clock(), longest_wait_seconds=600.0)
        pace.close_for(3 * 24 * 3600.0)

        with pytest.raises(MarketError, match=r"binance .* alone for 4320 minutes"):
            pace.wait_turn(1.0)
        assert hourglass.slept == []
