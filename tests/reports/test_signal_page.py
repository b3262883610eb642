from datetime import UTC, datetime

import numpy as np
import pytest
from page_cells import cells
from plotly.offline import get_plotlyjs

from fleet_kedro.reports.figures.portfolio import draw_portfolio
from fleet_kedro.reports.signal_page import render_signal
from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.portfolio_signal import compose_signal
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.signals.soundness import AssetFacts

HOSTILE = "<script>alert('x')</script>"
NAN = np.nan
NOW = datetime(2024, 3, 1, 19, 26, tzinfo=UTC)
LAST_OPEN = NOW.replace(hour=18, minute=0)


def compose(other: str = "ETH", with_brain: bool = True) -> PortfolioSignal:
    """A strong buy, a sale, and an asset without a candle."""
    middle = np.array([[0.02, -0.01, 0.03]])
    touched = np.array([[2, 1, 0]])
    inputs = DecisionInputs(
        ("BTC", other, "SOL"),
        ExpectedReturns.of(middle, middle - 0.005, middle + 0.005),
        np.array([[1.0, 2.0, 2.0]]),
        np.array([4.5]),
        np.array([NAN]),
    )
    levels = PriceLevels(
        np.array([[61_000.0, 90.0, NAN]]),
        np.array([[65_000.0, 110.0, NAN]]),
        touched,
        touched,
        np.full((1, 3), 0.005),
    )
    brain = {
        "gate_weights": {"Trend": 0.75, HOSTILE: 0.25},
        "top_latents": ((HOSTILE, -1.5),),
    }
    facts = {
        "BTC": AssetFacts(LAST_OPEN, 62_500.0, **(brain if with_brain else {})),
        other: AssetFacts(LAST_OPEN, 100.0),
    }
    return compose_signal(NOW, inputs, facts, SignalSettings(), levels)


def render(signal: PortfolioSignal) -> str:
    return render_signal(signal, draw_portfolio(signal))


@pytest.fixture(scope="module")
def signal() -> PortfolioSignal:
    return compose()


@pytest.fixture(scope="module")
def page(signal: PortfolioSignal) -> str:
    return render(signal)


class TestPage:
    def test_what_to_do_about_each_asset(self, page: str) -> None:
        rows = cells(page, "assets")

        assert list(rows) == ["BTC", "ETH", "SOL", "CASH"]
        # Caution scales the cap of 45 % to 31.5 %.
        assert rows["BTC"] == [
            *("STRONG BUY", "HIGH", "62,500.00", "63,750.00"),
            *("+2.00% [+1.50%, +2.50%]", "1.00", "31.5%", "0.4"),
        ]
        assert rows["SOL"][:5] == ["HOLD", "LOW", "n/a", "n/a", "n/a"]
        assert rows["CASH"][-2] == "68.5%"

    def test_colour_tells_a_buy_from_a_sale(self, page: str) -> None:
        assert page.count('<td class="good">STRONG BUY</td>') == 1
        assert page.count('<td class="bad">SELL</td>') == 1

    def test_each_asset_explains_itself(
        self, page: str, signal: PortfolioSignal
    ) -> None:
        rows = cells(page, "reasons")
        reasons = [own.reason for own in signal.individual_signals.values()]

        told = [row[0].replace("\N{MINUS SIGN}", "-") for row in rows.values()]
        assert told == reasons
        assert rows["BTC"][1:] == ["strong clear of zero", "0.30%"]

    def test_levels_with_their_pivots(self, page: str) -> None:
        rows = cells(page, "levels")

        assert rows["BTC"][1:3] == ["61,000.00 2 pivots", "65,000.00 2 pivots"]
        assert rows["ETH"][1] == "90.00 1 pivot"
        assert rows["ETH"][3:] == ["n/a"] * 3
        assert rows["SOL"] == ["n/a"] * 6

    def test_the_brain_and_the_regime(self, page: str) -> None:
        brain, regime = cells(page, "brain"), cells(page, "regime")

        assert brain["BTC"][0] == "75.0%"
        assert brain["ETH"] == ["n/a"] * 3
        assert regime["BTC"] == [
            "Caution",
            "Unknown",
            "70%",
            "\N{MULTIPLICATION SIGN} 1.00",
        ]

    def test_what_holds_for_all_is_said_at_the_top(self, page: str) -> None:
        head = page[page.index("<header>") : page.index("</header>")]
        assert "BTC.D is unknown" in head
        assert "2024-03-01 19:26 UTC, 3 assets, forecasts over 12 hours." in head

    def test_without_a_brain_there_is_no_word_of_it(self) -> None:
        assert '<section id="brain">' not in render(compose(with_brain=False))

    def test_nothing_is_loaded_from_anywhere(self, page: str) -> None:
        own = page.replace(get_plotlyjs(), "")

        assert page.count(get_plotlyjs()) == 1
        assert "http:" not in own
        assert "https:" not in own
        assert "default-src 'none'" in own

    def test_the_same_signal_gives_the_same_bytes(self, page: str) -> None:
        assert render(compose()) == page

    def test_a_hostile_name_stays_text(self) -> None:
        page = render(compose(HOSTILE))

        assert HOSTILE not in page
        assert "&lt;script&gt;alert" in page


class TestFigures:
    def test_the_allocation_shows_every_weight_and_the_cash(
        self, signal: PortfolioSignal
    ) -> None:
        (bars,) = draw_portfolio(signal)["allocation"].data

        assert list(bars.y) == ["BTC", "ETH", "SOL", "CASH"]
        np.testing.assert_allclose(bars.x, [31.5, 0.0, 0.0, 68.5])

    def test_each_call_has_its_own_mark(self, signal: PortfolioSignal) -> None:
        figure = draw_portfolio(signal)["forecasts"]
        marks = {trace.name: trace.marker.symbol for trace in figure.data}

        assert marks == {
            "Threshold": "line-ns",
            "BUY": "triangle-up",
            "SELL": "triangle-down",
            "HOLD": "circle",
        }

    def test_forecasts_stand_between_their_ends(self, signal: PortfolioSignal) -> None:
        figure = draw_portfolio(signal)["forecasts"]
        buy = next(trace for trace in figure.data if trace.name == "BUY")

        assert list(buy.x) == [2.0]
        np.testing.assert_allclose(buy.error_x.array, [0.5])
        np.testing.assert_allclose(buy.error_x.arrayminus, [0.5])

    def test_thresholds_stand_on_both_sides(self, signal: PortfolioSignal) -> None:
        (marks,) = [
            t for t in draw_portfolio(signal)["forecasts"].data if t.name == "Threshold"
        ]
        np.testing.assert_allclose(marks.x, [0.3, 0.6, 0.75, -0.3, -0.6, -0.75])
