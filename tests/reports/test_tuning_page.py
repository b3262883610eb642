import numpy as np
import pandas as pd
import pytest
from page_cells import cells
from plotly.offline import get_plotlyjs

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.reports.figures.tuning import draw_tuning
from fleet_kedro.reports.return_section import TunedReturns, return_lines
from fleet_kedro.reports.tuning_page import (
    TunedThresholds,
    render_tuning,
    tuning_lines,
)
from fleet_kedro.reports.units import basis_points, percent
from fleet_kedro.signals.comparison import FLEET
from fleet_kedro.signals.objective import NO_FLOOR
from fleet_kedro.signals.return_thresholds import WHY, ReturnThreshold
from fleet_kedro.signals.return_tuning import FactorSearch
from fleet_kedro.signals.tuning import TuningSettings
from fleet_kedro.validation.trials import Trial, TrialResults

HOSTILE = "<script>alert('x')</script>"
SETTINGS = TuningSettings(
    label=Label(horizon_bars=12, round_trip_cost=0.002),
    lowest_rank=0.8,
    highest_rank=0.99,
    highest_margin=0.1,
    base_rate_days=5,
    recall_floor=0.1,
    prior_effective_signals=20.0,
    trials=4,
    startup_trials=2,
    seed=7,
)


def study(asset: str) -> pd.DataFrame:
    """Four trials: the second misses the recall, the third has a floor."""
    return pd.DataFrame(
        {
            "asset": asset,
            "fold": np.int8(0),
            "trial": range(4),
            "rank_threshold": [0.8, 0.98, 0.85, 0.9],
            "floor_margin": [np.nan, np.nan, 0.02, np.nan],
            "probability_floor": [NO_FLOOR, NO_FLOOR, 0.47, NO_FLOOR],
            "value": [0.001, 0.004, 0.0005, 0.002],
            "recall": [0.3, 0.05, 0.2, 0.12],
            "is_feasible": [True, False, True, True],
        }
    )


def measured(asset: str, gain: float, low: float) -> dict[str, object]:
    return {
        "asset": asset,
        "rows": 1000,
        "base_rate": 0.44,
        "tuned_signals": 120,
        "tuned_precision": 0.5,
        "tuned_net_return": 0.0012,
        "walk_signals": 100,
        "walk_precision": 0.48,
        "walk_net_return": 0.0012 - gain,
        "gain": gain,
        "gain_low": low,
        "gain_high": low + 0.002,
    }


def tuned(other: str = "ETH") -> TunedThresholds:
    """Two assets in one judged fold; ``other`` gave no tuned signal, and has none."""
    comparison = [
        measured("BTC", 0.0005, 0.0001),
        measured(other, -0.0031, -0.005)
        | {"tuned_signals": 0, "tuned_precision": np.nan, "tuned_net_return": np.nan},
        measured(FLEET, 0.0003, -0.001),
    ]
    fold = {
        "asset": "BTC",
        "fold": 2,
        "rows": 1000,
        "base_rate": 0.44,
        "rank_threshold": 0.912,
        "probability_floor": NO_FLOOR,
        "signals": 120,
        "effective_signals": 31.5,
        "precision": 0.5,
        "net_return": 0.0012,
        "walk_rank_threshold": 0.9,
        "walk_signals": 100,
        "walk_precision": 0.48,
        "walk_net_return": 0.0007,
    }
    silent = {"asset": other, "rank_threshold": np.nan, "probability_floor": np.nan}
    nothing = {"signals": 0, "precision": np.nan, "net_return": np.nan}
    production = {
        "rank_threshold": 0.905,
        "probability_floor": 0.471,
        "expectancy_bps": 12.34,
        "recall": 0.123,
        "signals": 1400,
        "effective_signals": 321.0,
    }
    return TunedThresholds(
        pd.DataFrame([fold, fold | silent | nothing]),
        pd.DataFrame(comparison),
        {"BTC": production},
        "drawn for a test",
        [trial("BTC, production", 0.08), trial("BTC, fold 2", 0.02)],
    )


def returns(other: str = "ETH") -> TunedReturns:
    """Two assets, one of which kept its default."""
    trials = pd.DataFrame(
        {
            "asset": "BTC",
            "fold": np.int8(0),
            "factor": [1.0, 0.25, 1.7],
            "value": [0.0005, 0.0, 0.001],
            "is_feasible": [True, True, False],
        }
    )
    comparison = pd.DataFrame(
        [measured("BTC", 0.0005, 0.0001), measured(FLEET, 0.0003, -0.001)]
    ).rename(columns=lambda name: name.replace("walk", "default"))
    production = {
        "BTC": ReturnThreshold(factor=1.7, outcome="tuned", default_threshold=0.003),
        other: ReturnThreshold(
            factor=None, outcome="no skill", default_threshold=0.006
        ),
    }
    search = FactorSearch(lowest_factor=0.25, highest_factor=4.0)
    return TunedReturns(trials, production, comparison, search)


def trial(name: str, sharpe: float) -> Trial:
    return Trial(
        source="drawn for a test",
        start="2022-01-01",
        end="2023-12-31T23:00",
        horizon_bars=12,
        round_trip_cost=0.002,
        kind="optuna",
        name=name,
        parameters={},
        results=TrialResults(daily_sharpe=sharpe, n_days=300, signals=5),
    )


@pytest.fixture(scope="module")
def trials():
    return pd.concat([study("BTC"), study("ETH")], ignore_index=True)


@pytest.fixture(scope="module")
def figures(trials):
    return draw_tuning(trials, SETTINGS)


@pytest.fixture(scope="module")
def page(figures):
    return render_tuning(tuned(), returns(), SETTINGS, figures)


class TestPage:
    def test_both_rules_stand_side_by_side(self, page):
        rows = cells(page, "assets")

        assert list(rows) == ["BTC", "ETH", FLEET]
        assert rows["BTC"] == [
            *("1,000", "44.0%", "120", "100", "50.0%", "48.0%", "+12.0", "+7.0"),
            "+5.0 [+1.0, +21.0]",
        ]
        assert rows["ETH"][4] == rows["ETH"][6] == "n/a"

    def test_colour_marks_an_interval_on_one_side_of_zero(self, page):
        table = page.partition('id="assets"')[2].partition("</table>")[0]

        assert table.count('<td class="good">') == 1
        assert table.count('<td class="bad">') == 1

    def test_thresholds_of_a_fold_and_for_production(self, page):
        folds, production = cells(page, "folds"), cells(page, "production")

        assert folds["BTC"][:5] == ["2", "0.912", "off", "120", "31.5"]
        assert folds["ETH"][1:3] == ["n/a", "n/a"]
        assert production["BTC"] == [
            *("0.905", "47.1%", "12.3%", "1,400", "321.0", "+12.3"),
        ]
        assert production["ETH"][0] == "no signal: the recall is out of reach"

    def test_the_ledger_is_summed_up(self, page):
        tried = cells(page, "tried")

        assert tried["optuna"] == ["2", "BTC, production", "0.080", "0.050"]
        assert tried["all"] == tried["optuna"]

    def test_nothing_is_loaded_from_anywhere(self, page):
        own = page.replace(get_plotlyjs(), "")

        assert page.count(get_plotlyjs()) == 1
        assert "http:" not in own
        assert "https:" not in own
        assert "default-src 'none'" in own

    def test_the_same_study_gives_the_same_bytes(self, page, trials):
        figures = draw_tuning(trials, SETTINGS)
        again = render_tuning(tuned(), returns(), SETTINGS, figures)

        assert again == page

    def test_a_hostile_name_stays_text(self):
        trials = pd.concat([study("BTC"), study(HOSTILE)], ignore_index=True)
        page = render_tuning(
            tuned(HOSTILE), returns(HOSTILE), SETTINGS, draw_tuning(trials, SETTINGS)
        )

        assert HOSTILE not in page
        assert "&lt;script&gt;alert" in page


class TestFigures:
    def test_the_best_so_far_counts_feasible_trials_only(self, figures):
        best = next(
            trace for trace in figures["history"].data if trace.name == "Best so far"
        )

        assert list(best.y) == [0.001, 0.001, 0.001, 0.002]

    @pytest.mark.parametrize("name", ["history", "slice"])
    def test_the_menu_shows_the_traces_of_one_asset(self, figures, name):
        figure = figures[name]
        (menu,) = figure.layout.updatemenus
        shown = [button.args[0]["visible"] for button in menu.buttons]

        assert [button.label for button in menu.buttons] == ["BTC", "ETH"]
        assert [trace.visible for trace in figure.data] == list(shown[0])
        assert all(one != other for one, other in zip(*shown, strict=True))

    def test_a_slice_shows_every_trial_once(self, figures):
        own = [trace for trace in figures["slice"].data if trace.visible]
        by_axis: dict[str, list[float]] = {}
        for trace in own:
            by_axis.setdefault(trace.xaxis, []).extend(trace.x)

        assert sorted(by_axis["x2"]) == [0.8, 0.85, 0.9, 0.98]
        assert by_axis["x"] == [0.02]

    def test_a_parameter_that_was_never_drawn_is_left_out(self, trials):
        figure = draw_tuning(trials.assign(floor_margin=np.nan), SETTINGS)["slice"]

        assert figure.layout.xaxis.title.text == "Rank threshold"
        assert len(list(figure.select_xaxes())) == 1


class TestConsole:
    def test_a_line_per_asset(self):
        comparison = tuned().comparison
        lines = tuning_lines(comparison)

        assert len(lines) == 2 + len(comparison)
        assert lines[2] == (
            "BTC    tuned   +12.0 bp, walk    +7.0 bp, gain   +5.0 [+1.0, +21.0]"
        )
        assert "n/a bp" in lines[3]


def test_numbers_are_written_as_everywhere(page):
    fleet = tuned().comparison.iloc[-1]

    assert f"{basis_points(fleet['tuned_net_return'])} bp" in page
    assert percent(fleet["tuned_precision"]) in page


class TestReturns:
    def test_both_thresholds_of_an_asset_stand_beside_its_gain(self, page):
        rows = cells(page, "returns")

        assert list(rows) == ["BTC", "ETH", FLEET]
        assert rows["BTC"] == [
            *("0.30%", "1.70", "0.51%", "tuned", "120", "100", "+12.0", "+7.0"),
            "+5.0 [+1.0, +21.0]",
        ]

    def test_an_asset_that_keeps_its_default_says_why(self, page):
        own = cells(page, "returns")["ETH"]

        assert own[:4] == ["0.60%", "1.00", "0.60%", WHY["no skill"]]
        assert own[4:] == ["n/a"] * 5

    def test_a_gain_that_its_interval_tells_from_zero_is_coloured(self, page):
        part = page.partition('id="returns"')[2].partition("</table>")[0]

        assert part.count('class="good"') == 1
        assert 'class="bad"' not in part

    def test_the_console_tells_both_and_the_difference(self):
        lines = return_lines(returns().comparison)

        assert lines[2] == (
            "BTC    tuned   +12.0 bp, default    +7.0 bp, gain   +5.0 [+1.0, +21.0]"
        )
        assert len(lines) == 4

    def test_the_console_says_why_there_is_nothing_to_tell(self):
        comparison = returns().comparison
        silent = comparison.assign(tuned_signals=0, default_signals=0)

        assert "all defaults stay" in return_lines(silent)[-1]
        assert "nothing to judge" in return_lines(comparison.iloc[:0])[-1]

    def test_a_section_without_a_trial_says_so(self):
        told = returns()
        page = render_tuning(
            tuned(),
            told._replace(
                trials=told.trials.iloc[:0],
                comparison=told.comparison.iloc[:0],
                production={"BTC": ReturnThreshold(factor=None, outcome="no past")},
            ),
            SETTINGS,
            {},
        )

        assert WHY["no past"] in page
        assert "Nothing was tuned: no return is expected." in page
        assert "no fold could be tuned for" in page
