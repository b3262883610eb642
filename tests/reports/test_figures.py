import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.reports.figures.calibration import reliability
from fleet_kedro.reports.figures.equity import equity
from fleet_kedro.reports.figures.of_report import draw_figures


def figures_of(validated):
    return draw_figures(
        validated.forecasts,
        validated.folds,
        validated.loadings,
        validated.telemetry,
        validated.scrutiny,
        validated.facts,
    )


def trace(figure, name):
    (found,) = (trace for trace in figure.data if trace.name == name)
    return found


class TestEquity:
    @pytest.fixture
    def forecasts(self):
        """Two assets, three hours: two signals, one signal, none."""
        hours = pd.Timestamp("2023-01-01 21:00", tz="UTC").as_unit("us") + pd.Timedelta(
            hours=1
        ) * np.arange(3)
        return pd.DataFrame(
            {
                "timestamp": hours.repeat(2),
                "asset": ["A", "B"] * 3,
                "forward_return": [0.03, 0.01, 0.05, -0.02, 0.04, 0.02],
                "is_signal": [True, True, False, True, False, False],
            }
        )

    def test_an_hour_spreads_its_part_and_books_it_on_closing(self, forecasts):
        told = equity(forecasts, Label(horizon_bars=2, round_trip_cost=0.01))

        # Trades of 21:00 close at 00:00, those of 22:00 at 01:00, of the next day.
        assert told["day"].dt.strftime("%Y-%m-%d").tolist() == ["2023-01-02"]
        assert told["brain"].tolist() == pytest.approx([(0.01 - 0.03 + 0.0) / 2])
        assert told["always_long"].tolist() == pytest.approx(
            [(0.01 + 0.005 + 0.02) / 2]
        )

    def test_days_add_up(self, forecasts):
        told = equity(forecasts, Label(horizon_bars=1, round_trip_cost=0.01))

        assert told["brain"].tolist() == pytest.approx([0.01, -0.02])

    def test_equals_the_sum_over_trades(self, validated):
        told = equity(validated.forecasts, validated.facts.label)
        signalled = validated.forecasts.query("is_signal")
        by_hour = (signalled["forward_return"] - 0.002).groupby(signalled["timestamp"])

        assert told["brain"].iloc[-1] == pytest.approx(by_hour.mean().sum() / 12)

    def test_a_gap_between_days_keeps_what_was_earned(self, forecasts):
        late = forecasts.assign(
            timestamp=forecasts["timestamp"] + pd.Timedelta(days=3), is_signal=False
        )
        both = pd.concat([forecasts, late], ignore_index=True)
        told = equity(both, Label(horizon_bars=2, round_trip_cost=0.01))

        assert told["brain"].tolist() == pytest.approx([-0.01] * 4)


class TestReliability:
    def test_bins_hold_equal_counts_and_their_means(self):
        forecast = pd.Series([0.1, 0.2, 0.3, 0.8])
        told = reliability(forecast, pd.Series([False, True, True, True]), n_bins=2)

        assert told["rows"].tolist() == [2, 2]
        assert told["forecast"].tolist() == pytest.approx([0.15, 0.55])
        assert told["realised"].tolist() == [0.5, 1.0]

    def test_equal_forecasts_share_one_bin(self):
        told = reliability(pd.Series([0.4] * 5), pd.Series([True] + [False] * 4))

        assert told.to_dict(orient="list") == {
            "forecast": [pytest.approx(0.4)],
            "realised": [0.2],
            "rows": [5],
        }

    def test_no_row_is_lost(self, validated):
        told = reliability(
            validated.forecasts["probability"], validated.forecasts["is_positive"]
        )

        assert told["rows"].sum() == len(validated.forecasts)
        assert told["forecast"].is_monotonic_increasing


class TestDrawn:
    def test_precision_shows_assets_and_their_mean(self, validated):
        brain = trace(figures_of(validated)["precision"], "Brain")
        measured = validated.telemetry.assets["precision"].tolist()

        assert list(brain.y) == ["BTC", "DOGE", "ETH", "Mean"]
        assert list(brain.x) == [*measured, validated.telemetry.overall["precision"]]

    def test_error_bars_reach_to_the_ends_of_the_interval(self, validated):
        drawn = trace(figures_of(validated)["lift"], "Over the volatility-only model")
        assets = validated.telemetry.assets

        np.testing.assert_allclose(
            (drawn.x + drawn.error_x.array)[:-1],
            100 * assets["lift_over_volatility_high"],
        )
        np.testing.assert_allclose(
            (drawn.x - drawn.error_x.arrayminus)[:-1],
            100 * assets["lift_over_volatility_low"],
        )

    def test_gate_has_a_bar_per_expert(self, validated):
        bars = figures_of(validated)["gate"].data

        assert [bar.name for bar in bars] == [
            *("trend", "range", "elastic", "pattern", "stress")
        ]
        np.testing.assert_allclose(np.sum([bar.x for bar in bars], axis=0), 1.0)

    def test_gate_regimes_show_the_fleet_and_the_two_contrasted_assets(self, validated):
        bars = figures_of(validated)["gate_regimes"].data
        regimes = ("mean-reverting", "random walk", "trending", "tipping")

        assert list(bars[0].y) == [
            f"{regime}, {asset}"
            for regime in regimes
            for asset in ("all", "BTC", "DOGE")
        ]
        np.testing.assert_allclose(np.sum([bar.x for bar in bars], axis=0), 1.0)

    def test_gate_regimes_do_without_an_asset_that_is_not_there(self, validate_with):
        bars = figures_of(validate_with(assets=("BTC", "ETH"), days=20))[
            "gate_regimes"
        ].data

        assert {name.rpartition(", ")[2] for name in bars[0].y} == {"all", "BTC"}

    def test_spans_of_a_fold_follow_one_another(self, validated):
        training, gap, validation = figures_of(validated)["timeline"].data
        ends = pd.to_datetime(training.base) + pd.to_timedelta(training.x, unit="ms")
        opens = pd.to_datetime(gap.base) + pd.to_timedelta(gap.x, unit="ms")

        assert list(ends) == list(pd.to_datetime(gap.base))
        assert list(opens) == list(pd.to_datetime(validation.base))
        # Thirteen bars of purge and twenty-four of embargo.
        assert set(gap.x) == {37 * 3_600_000}

    def test_only_the_brain_is_filled_among_its_rivals(self, validated):
        figure = figures_of(validated)["rivals"]
        names = dict(zip(figure.data[0].y, figure.data[0].marker.symbol, strict=True))

        assert names.pop("brain") == "circle"
        assert len(names) == 10
        assert set(names.values()) == {"circle-open"}


class TestLoadings:
    def test_shows_the_families_of_the_last_fold(self, validated):
        heatmap = figures_of(validated)["loadings"].data[0]

        assert list(heatmap.x) == ["00", "01"]
        assert list(heatmap.y) == ["volume", "trend"]
        assert heatmap.z.tolist() == [[0.5, 1.0], [0.7, 0.0]]
        assert heatmap.customdata[0].tolist() == ["volume_13_lag2", "volume_13_lag2"]
        assert heatmap.customdata[1].tolist() == ["trend_13_lag2", "none"]


class TestAllFigures:
    @pytest.mark.parametrize("name", ["validated", "without_signals"])
    def test_each_has_a_title_and_a_reading(self, request, name):
        figures = figures_of(request.getfixturevalue(name))

        assert len(figures) == 12
        for figure in figures.values():
            assert figure.layout.title.text
            assert figure.layout.title.subtitle.text.endswith(".")

    def test_without_a_signal_they_say_so(self, without_signals):
        figures = figures_of(without_signals)
        said = {
            name: [note.text for note in figure.layout.annotations]
            for name, figure in figures.items()
        }

        assert said["precision"] == ["The brain gave no signal."]
        assert said["equity"] == ["The brain gave no signal."]
        assert said["lift"] == ["No lift without a signal."]

    def test_the_same_run_gives_the_same_bytes(self, validate_with):
        first, second = (
            {
                name: figure.to_json()
                for name, figure in figures_of(validate_with(days=20)).items()
            }
            for _ in range(2)
        )

        assert first == second

    def test_a_hostile_name_is_text(self, validate_with):
        figures = figures_of(validate_with(assets=("<b>BTC</b>", "ETH"), days=20))
        brain = trace(figures["precision"], "Brain")

        assert list(brain.y) == ["&lt;b&gt;BTC&lt;/b&gt;", "ETH", "Mean"]
