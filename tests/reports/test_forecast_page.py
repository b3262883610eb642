import math
import re

import numpy as np
import pandas as pd
import pytest
from page_cells import cells
from plotly.offline import get_plotlyjs

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.models.conformal import ConformalSettings
from fleet_kedro.reports.figures.forecast_outcomes import outcome_curve
from fleet_kedro.reports.figures.forecasters import draw_forecasters
from fleet_kedro.reports.forecast_page import JudgedForecasters, render_forecasters
from fleet_kedro.reports.forecast_table import (
    dollars,
    forecast_lines,
    signed_percent,
    skill_words,
    volatility_words,
)
from fleet_kedro.validation.forecast_ensemble import (
    EnsembleWalkSettings,
    walk_ensemble,
)
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE, measure_forecasters

HOSTILE = "<script>alert('x')</script>"
SETTINGS = EnsembleWalkSettings(
    horizons=(1, 12), intervals=ConformalSettings(window_rows=500)
)
BOOTSTRAP = BlockBootstrap(block_days=3, draws=200, level=0.9, seed=5)


def draw_walk(seed: int, usual: float, skill: float) -> pd.DataFrame:
    """Three folds of a model that knows ``skill`` of every outcome."""
    rng = np.random.default_rng(seed)
    n_rows = 24 * 100
    volatility = usual * np.exp(0.1 * np.sin(np.arange(n_rows) / 50))
    table = pd.DataFrame(
        {
            "timestamp": pd.date_range(
                "2023-01-01", periods=n_rows, freq="h", tz="UTC"
            ),
            "fold": np.repeat(np.arange(3), n_rows // 3).astype(np.int8),
            "volatility": volatility,
            "close": 100.0,
        }
    )
    for horizon in SETTINGS.horizons:
        unit = volatility * math.sqrt(horizon)
        known = np.sqrt(skill) * unit * rng.standard_normal(n_rows)
        table[f"forecast_{horizon}h"] = known + 0.1 * unit * rng.standard_normal(n_rows)
        table[f"forward_log_return_{horizon}h"] = known + np.sqrt(
            1 - skill
        ) * unit * rng.standard_normal(n_rows)
    return table


def judge(
    skills: dict[str, float],
) -> tuple[JudgedForecasters, dict[str, pd.DataFrame]]:
    """Measure an asset for each skill, with one model that has it and one that errs."""
    measured, weights, forecasts = [], [], {}
    for place, (asset, skill) in enumerate(skills.items()):
        walk = draw_walk(place, 0.005 * (place + 1), skill)
        wrong = {f"forecast_{h}h": -walk[f"forecast_{h}h"] for h in SETTINGS.horizons}
        walks = {"trees": walk, "contrarian": walk.assign(**wrong)}
        ensemble = walk_ensemble(walks, SETTINGS)
        measured.append(measure_forecasters(asset, walks, ensemble, BOOTSTRAP))
        weights.append(ensemble.production.assign(asset=asset))
        forecasts[asset] = ensemble.forecasts
    sizes = pd.DataFrame(
        {
            "asset": np.repeat(list(skills), 2),
            "model": ["trees", "contrarian"] * len(skills),
            "n_parameters": 1234,
            "n_bytes": 56_700,
        }
    )
    return (
        JudgedForecasters(
            pd.concat(measured, ignore_index=True),
            pd.concat(weights, ignore_index=True),
            sizes,
            "drawn for a test",
        ),
        forecasts,
    )


def render(judged, forecasts):
    figures = draw_forecasters(judged.telemetry, judged.production, forecasts, 0.9)
    return render_forecasters(judged, SETTINGS, figures)


@pytest.fixture(scope="module")
def judged():
    return judge({"BTC": 0.0, "ETH": 0.2, "SOL": 0.0})


@pytest.fixture(scope="module")
def page(judged):
    return render(*judged)


@pytest.fixture(scope="module")
def figures(judged):
    told, forecasts = judged
    return draw_forecasters(told.telemetry, told.production, forecasts, 0.9)


class TestPage:
    @pytest.mark.parametrize("horizon", [1, 12])
    def test_every_model_stands_beside_zero(self, page, judged, horizon):
        rows = cells(page, f"errors-{horizon}h")
        table = judged[0].telemetry.set_index(["asset", "model", "horizon"])
        row = table.loc[("ETH", "trees", horizon)]

        assert len(rows) == 9
        assert rows["ETH, trees"][0] == (f"{row['rmse']:.3%} / {row['zero_rmse']:.3%}")
        assert rows["ETH, trees"][3] == "better than zero"
        assert rows["ETH, contrarian"][3] == "worse than zero"
        assert rows["BTC, ensemble"][2:4] == ["+0.000% [+0.000%, +0.000%]", "no skill"]

    def test_colour_marks_an_interval_on_one_side_of_zero(self, page, judged):
        table = judged[0].telemetry

        assert page.count('<td class="good">') == (table["skill_low"] > 0).sum()
        assert page.count('<td class="bad">') == (table["skill_high"] < 0).sum()
        assert '<td class="good">' in page
        assert '<td class="bad">' in page

    def test_weights_intervals_and_sizes(self, page, judged):
        weights, intervals = cells(page, "weights"), cells(page, "intervals")
        own = judged[0].telemetry.query("model == 'ensemble' and asset == 'SOL'")
        sizes = cells(page, "sizes")

        assert weights["BTC, 12"][:3] == ["0.0%", "0.0%", "100.0%"]
        assert weights["ETH, 1"][1] == "0.0%"
        assert intervals["SOL, 1"][0] == f"{own['coverage'].iloc[0]:.1%}"
        assert (
            intervals["SOL, 12"][1] == f"{own['coverage_wild'].iloc[1]:.1%}" != "nan%"
        )
        assert sizes["ETH, trees"] == ["1,234", "56.7"]
        assert sizes["6 models"] == ["7,404", "340.2"]

    def test_the_cards_say_whether_anyone_has_skill(self, page):
        blind, forecasts = judge({"BTC": 0.0})

        assert page.count("1 of 3") == 2
        assert "0 of 1" in render(blind, forecasts)
        assert "no skill on any asset" in render(blind, forecasts)

    def test_nothing_is_loaded_from_anywhere(self, page):
        own = page.replace(get_plotlyjs(), "")

        assert page.count(get_plotlyjs()) == 1
        assert "http:" not in own
        assert "https:" not in own
        assert "default-src 'none'" in own

    def test_the_same_walk_gives_the_same_bytes(self, page, judged):
        assert render(*judged) == page

    def test_a_model_that_one_asset_lacks_has_no_weight_there(self, judged):
        told, forecasts = judged
        weights = told.production
        gone = weights.assign(
            weight_trees=weights["weight_trees"].mask(weights["asset"] == "SOL")
        )
        page = render(told._replace(production=gone), forecasts)

        assert cells(page, "weights")["SOL, 1"][0] == "n/a"

    def test_a_hostile_name_stays_text(self):
        page = render(*judge({HOSTILE: 0.0}))

        assert HOSTILE not in page
        assert "&lt;script&gt;alert" in page


class TestFigures:
    def test_there_is_one_for_every_question(self, figures):
        assert list(figures) == ["skill", "weights", "intervals", "outcomes"]

    def test_every_skill_is_drawn_with_its_interval(self, figures, judged):
        shown = judged[0].telemetry.query("model == 'ensemble' and horizon == 12")
        (dots,) = (
            trace
            for trace in figures["skill"].data
            if trace.name == ENSEMBLE and trace.xaxis == "x2"
        )

        assert list(dots.x) == shown["skill"].tolist()
        assert (dots.x + dots.error_x.array).tolist() == pytest.approx(
            shown["skill_high"].tolist()
        )
        assert len(figures["skill"].data) == 6

    def test_no_two_models_look_alike(self, figures):
        looks = {
            trace.name: (trace.marker.color, trace.marker.symbol)
            for trace in figures["skill"].data
        }
        assert len(set(looks.values())) == 3

    def test_bars_share_one(self, figures):
        bars = [trace for trace in figures["weights"].data if trace.xaxis == "x"]

        assert [bar.name for bar in bars] == ["trees", "contrarian", "zero"]
        assert sum(np.array(bar.x) for bar in bars) == pytest.approx([1.0] * 3)

    def test_the_promise_is_a_line(self, figures):
        lines = [shape.x0 for shape in figures["intervals"].layout.shapes]

        assert lines == [0.9, 0.9]

    def test_zero_forecasts_leave_nothing_to_draw(self):
        told, forecasts = judge({"BTC": 0.0})
        figure = draw_forecasters(told.telemetry, told.production, forecasts, 0.9)

        assert not figure["outcomes"].data
        texts = [note.text for note in figure["outcomes"].layout.annotations]
        assert "The ensemble said zero at every hour." in texts


class TestOutcomeCurve:
    def test_bins_hold_their_means(self):
        days = pd.date_range("2023-01-01", periods=4, freq="D", tz="UTC")
        rows = pd.DataFrame(
            {
                "timestamp": days.append(days),
                "forecast_1h": [-0.002, -0.001, 0.001, 0.002, 0, 0, 0, np.nan],
                "forward_log_return_1h": [0.0, -0.004, 0.001, 0.003, 1, 1, 1, 1],
            }
        )
        told = outcome_curve(rows, 1, n_bins=2)

        assert told["rows"].tolist() == [2, 2]
        assert told["forecast"].tolist() == pytest.approx([-15, 15])
        assert told["outcome"].tolist() == pytest.approx([-20, 20])
        # Two days each, 20 and 10 bp from their mean.
        assert told["margin"].tolist() == pytest.approx(
            [1.645 * math.sqrt(2 * 20**2) / 2, 1.645 * math.sqrt(2 * 10**2) / 2]
        )

    def test_rows_of_a_day_are_one_observation(self):
        hours = pd.date_range("2023-01-01", periods=48, freq="h", tz="UTC")
        rows = pd.DataFrame(
            {
                "timestamp": hours,
                "forecast_1h": 0.001,
                "forward_log_return_1h": np.repeat([0.01, -0.01], 24),
            }
        )
        (margin,) = outcome_curve(rows, 1)["margin"]

        assert margin == pytest.approx(1.645 * 100 / math.sqrt(2))


class TestConsole:
    @staticmethod
    def training(assets):
        return pd.DataFrame(
            {
                "asset": np.repeat(assets, 2),
                "model": ["trees", "contrarian"] * len(assets),
                "seconds": [30.0, 60.0] * len(assets),
                "n_parameters": 1000,
                "n_bytes": 2_000_000,
            }
        )

    def test_the_table_of_the_ensembles_says_no_skill(self, judged):
        lines = forecast_lines(
            judged[0].telemetry, self.training(["BTC", "ETH", "SOL"])
        )
        table = lines[lines.index("The ensemble of each asset, 1 h ahead") :]
        titles = [title for title in re.split(r"\s{2,}", table[1]) if title]
        btc, eth, sol = (re.split(r"\s{2,}", line) for line in table[3:6])

        assert titles == [
            *("Asset", "RMSE", "Approx Error", "Zero RMSE", "Skill", "Volatility"),
            *("Training Time", "Models"),
        ]
        assert btc[0] == "BTC"
        assert btc[1] == btc[3]
        assert btc[4:] == [
            *("+0.000% [+0.000%, +0.000%]", "no skill", "LOW 0.51%", "1.50 min", "2"),
        ]
        assert eth[5] == "better than zero"
        assert sol[6].startswith("HIGH")
        assert lines[-1] == "Total: 6 models trained in 4.50 min, 12.00 MB on disk"

    def test_a_model_that_was_kept_took_no_time(self, judged):
        training = self.training(["BTC", "ETH", "SOL"])
        of_btc = training["asset"] == "BTC"
        training.loc[of_btc, "seconds"] = np.nan
        lines = forecast_lines(judged[0].telemetry, training)
        own = [line for line in lines if line.startswith("BTC")]

        assert sum(line.split().count("kept") for line in own) == 2 * (1 + 2)
        assert lines[-1] == (
            "Total: 4 models trained in 3.00 min, 2 kept, 12.00 MB on disk"
        )

    def test_every_model_has_a_line_at_each_horizon(self, judged):
        lines = forecast_lines(judged[0].telemetry)

        for horizon in (1, 12):
            start = lines.index(f"Every model, {horizon} h ahead")
            names = [line.split()[:2] for line in lines[start + 3 : start + 15]]
            assert names == [
                [asset, model]
                for asset in ("BTC", "ETH", "SOL")
                for model in ("trees", "contrarian", "ensemble", "zero")
            ]
        assert not any(line.startswith("Total") for line in lines)

    def test_seconds_stand_beside_their_model(self, judged):
        training = self.training(["BTC", "ETH", "SOL"])
        lines = forecast_lines(judged[0].telemetry, training)
        start = lines.index("Every model, 12 h ahead")

        assert lines[start + 3].split()[-3:] == ["30.0", "1,000", "2,000.0"]
        assert lines[start + 4].split()[-3:] == ["60.0", "1,000", "2,000.0"]

    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [
            (-0.1, 0.1, "no skill"),
            (0.0, 0.0, "no skill"),
            (0.0, 0.1, "no skill"),
            (0.001, 0.1, "better than zero"),
            (-0.1, -0.001, "worse than zero"),
            (math.nan, math.nan, "n/a"),
        ],
    )
    def test_words_follow_the_interval(self, low, high, said):
        assert skill_words({"skill_low": low, "skill_high": high}) == said

    @pytest.mark.parametrize(
        ("price", "written"),
        [
            (501.4, "$501"),
            (12_345.6, "$12,346"),
            (27.0, "$27.00"),
            (1.63, "$1.63"),
            (0.00085123, "$0.000851"),
            (math.nan, "n/a"),
        ],
    )
    def test_dollars_have_the_digits_they_deserve(self, price, written):
        assert dollars(price) == written

    def test_percents_have_a_sign_and_no_negative_zero(self):
        assert [signed_percent(v) for v in (0.0031, -0.5, -1e-9, math.nan)] == [
            *("+0.310%", "-50.000%", "+0.000%", "n/a"),
        ]

    def test_volatility_is_named_by_thirds_of_the_fleet(self):
        telemetry = pd.DataFrame(
            {
                "asset": ["SOL", "BTC", "ETH", "BTC"],
                "horizon": [1, 1, 1, 12],
                "zero_rmse": [0.0101, 0.0045, 0.0091, 0.9],
            }
        )
        words = volatility_words(telemetry)

        assert words == {"BTC": "LOW 0.45%", "ETH": "MEDIUM 0.91%", "SOL": "HIGH 1.01%"}
        assert volatility_words(telemetry.iloc[:2])["SOL"] == "1.01%"
