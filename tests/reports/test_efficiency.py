"""The synthetic market's table and figure, of numbers that are easy to recognise."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.reports.efficiency_table import efficiency_table
from fleet_kedro.reports.figures.efficiency import draw_efficiency
from fleet_kedro.validation.efficiency import COLUMNS, EFFICIENCIES


@pytest.fixture
def efficiency():
    """One regime and all; every efficiency is 0.84 within 0.75 and 0.93."""
    shares = {
        f"{name}{end}": value
        for name in EFFICIENCIES
        for end, value in (("", 0.84), ("_low", 0.75), ("_high", 0.93))
    }
    row = {
        "rows": 12345,
        "signals": 1234,
        "base_rate": 0.451,
        "precision": 0.591,
        "lift": 0.14,
        "hindsight_precision": 0.601,
        "hindsight_lift": 0.15,
        "bayes_precision": 0.621,
        "bayes_lift": 0.17,
        "log_loss": 0.67891,
        "bayes_log_loss": 0.65432,
        **shares,
    }
    table = pd.DataFrame([{"regime": name, **row} for name in ("<calm>", "all")])
    return table[COLUMNS]


class TestTable:
    def test_every_number_stands_in_its_unit(self, efficiency):
        told = efficiency_table(efficiency)
        body = told.split("<tbody>")[1]
        assert body.count("<tr>") == 2
        for written in (
            "12,345",
            "1,234",
            "45.1%",
            "59.1% <small>/ 62.1%</small>",
            "+14.0 <small>/ +17.0</small>",
            "0.6789 <small>/ 0.6543</small>",
        ):
            assert body.count(f"<td>{written}</td>") == 2
        assert body.count("84% <small>[75%, 93%]</small>") == 2 * len(EFFICIENCIES)

    def test_a_header_for_every_number(self, efficiency):
        head, body = efficiency_table(efficiency.iloc[:1]).split("<tbody>")
        assert head.count('scope="col"') == body.count("<td>") + 1

    def test_a_regime_means_itself(self, efficiency):
        assert "&lt;calm&gt;" in efficiency_table(efficiency)

    def test_what_is_not_known_is_said(self, efficiency):
        silent = efficiency.assign(**dict.fromkeys(EFFICIENCIES, np.nan))
        assert efficiency_table(silent).count("n/a") == 2 * len(EFFICIENCIES)

    def test_a_real_market_has_no_table(self):
        assert efficiency_table(pd.DataFrame(columns=COLUMNS)) == ""


class TestFigure:
    def test_lifts_are_drawn_in_points_a_row_per_regime(self, efficiency):
        figure = draw_efficiency(efficiency)
        lifts = {trace.name: list(trace.x) for trace in figure.data if trace.name}
        assert lifts == {
            "Brain": pytest.approx([14.0, 14.0]),
            "Brain in hindsight": pytest.approx([15.0, 15.0]),
            "Best possible": pytest.approx([17.0, 17.0]),
        }
        assert list(figure.data[0].y) == ["&lt;calm&gt;", "all"]
        assert not figure.layout.annotations

    def test_a_real_market_says_that_nobody_knows(self):
        figure = draw_efficiency(pd.DataFrame(columns=COLUMNS))
        (said,) = figure.layout.annotations
        assert "real candles" in said.text

    def test_a_silent_brain_says_so(self, efficiency):
        figure = draw_efficiency(efficiency.assign(lift=np.nan, hindsight_lift=np.nan))
        (said,) = figure.layout.annotations
        assert "signal" in said.text
