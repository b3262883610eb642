from datetime import UTC, datetime

import numpy as np
import pytest

from fleet_kedro.reports.signal_table import (
    call_in_words,
    portfolio_line,
    price_text,
    return_text,
    signal_lines,
    signal_table,
)
from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.portfolio_signal import compose_signal
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.signals.soundness import AssetFacts

NAN = np.nan
NOW = datetime(2024, 3, 1, 19, 26, tzinfo=UTC)
LAST_OPEN = NOW.replace(hour=18, minute=0)


@pytest.fixture(scope="module")
def signal() -> PortfolioSignal:
    """A strong buy, a sale and an asset without a candle."""
    middle = np.array([[0.02, -0.01, 0.03]])
    touched = np.array([[2, 3, 4]])
    inputs = DecisionInputs(
        ("BTC", "[ETH]", "SOL"),
        ExpectedReturns.of(middle, middle - 0.005, middle + 0.005),
        np.array([[1.0, 2.0, 2.0]]),
        np.array([NAN]),
        np.array([55.0]),
    )
    levels = PriceLevels(
        np.full((1, 3), 61_000.0),
        np.full((1, 3), 65_000.0),
        touched,
        touched,
        np.full((1, 3), 0.005),
    )
    facts = {
        "BTC": AssetFacts(LAST_OPEN, 62_500.0),
        "[ETH]": AssetFacts(LAST_OPEN, 0.000123456),
    }
    return compose_signal(NOW, inputs, facts, SignalSettings(), levels)


class TestLines:
    def test_every_asset_has_its_row(self, signal: PortfolioSignal) -> None:
        lines = signal_lines(signal)
        btc = next(line for line in lines if line.startswith("BTC"))

        assert btc.split() == [
            *("BTC", "STRONG", "BUY", "HIGH", "62,500.00", "63,750.00", "+2.00%"),
            *("0.30%", "+1.50", "+2.50", "1.00", "45.0%"),
            # Half a range beyond 61,000 and before 65,000: a factor of exp(0.0025).
            *("60,847.69", "64,837.70", "1.41", "0.4"),
        ]

    def test_every_asset_says_why(self, signal: PortfolioSignal) -> None:
        text = "\n".join(signal_lines(signal))

        for own in signal.individual_signals.values():
            assert own.reason in text
        assert "There is no candle of SOL with a price." in text
        assert "USDT.D is unknown" in text

    def test_brackets_in_a_name_are_no_markup(self, signal: PortfolioSignal) -> None:
        assert any(line.startswith("[ETH] ") for line in signal_lines(signal))

    def test_what_is_missing_is_said_not_to_be(self, signal: PortfolioSignal) -> None:
        row = next(
            line for line in signal_lines(signal) if line.startswith("SOL ")
        ).split()
        assert row[1:7] == ["HOLD", "LOW", "n/a", "n/a", "n/a", "0.75%"]

    def test_cash_stands_under_the_weights(self, signal: PortfolioSignal) -> None:
        lines = signal_lines(signal)
        header = next(line for line in lines if line.startswith("Asset "))
        cash = next(line for line in lines if line.startswith("CASH"))
        end = header.index("Weight") + len("Weight")

        assert cash.split() == ["CASH", "55.0%"]
        assert cash[:end].endswith("55.0%")

    def test_a_console_of_120_columns_holds_the_table(
        self, signal: PortfolioSignal
    ) -> None:
        lines = signal_lines(signal)
        rule = next(line for line in lines if line.startswith("───"))
        assert len(rule) <= 120

    def test_the_portfolio_in_a_line(self, signal: PortfolioSignal) -> None:
        assert portfolio_line(signal) == (
            "Expected return over 12 h: +0.90%, 1 active position, 55.0% cash."
        )
        assert portfolio_line(signal) in signal_lines(signal)


class TestTable:
    def test_a_row_per_asset_and_one_for_cash(self, signal: PortfolioSignal) -> None:
        assert signal_table(signal).row_count == 4


class TestWords:
    def test_calls(self, signal: PortfolioSignal) -> None:
        told = [call_in_words(own) for own in signal.individual_signals.values()]
        assert told == ["STRONG BUY", "SELL", "HOLD"]

    @pytest.mark.parametrize(
        ("price", "text"),
        [
            (111238.53, "111,238.53"),
            (1.0, "1.00"),
            (0.0001234567, "0.000123457"),
            (None, "n/a"),
        ],
    )
    def test_prices(self, price: float | None, text: str) -> None:
        assert price_text(price) == text

    @pytest.mark.parametrize(
        ("fraction", "text"),
        [(0.0186, "+1.86%"), (-0.0025, "-0.25%"), (0.0, "+0.00%"), (None, "n/a")],
    )
    def test_returns(self, fraction: float | None, text: str) -> None:
        assert return_text(fraction) == text
