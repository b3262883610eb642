from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.validation.trials import (
    Trial,
    TrialResults,
    comparable,
    n_trials,
    trial_sharpes,
)


def results(**changes: object) -> TrialResults:
    values = {"daily_sharpe": 0.05, "n_days": 600, "signals": 900, "precision": 0.48}
    return TrialResults(**(values | changes))


def trial(**changes: object) -> Trial:
    values = {
        "source": "files in market/",
        "start": "2022-01-01",
        "end": "2023-12-31T23:00",
        "horizon_bars": 12,
        "round_trip_cost": 0.002,
        "kind": "brain",
        "name": "brain",
        "parameters": {"latents": 25, "experts": ["trend", "range"]},
        "results": results(),
    }
    return Trial(**(values | changes))


class TestKey:
    def test_it_is_the_same_on_every_machine(self) -> None:
        # sha256 of the sorted, compact JSON of all fields but the results.
        assert trial().key == (
            "60428c09143a8c3a7f17208aa6176f30cf9ba3adb93f4af57e3c754eba491692"
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"source": "synthetic"},
            {"start": "2022-01-02"},
            {"end": "2023-12-31T22:00"},
            {"horizon_bars": 24},
            {"round_trip_cost": 0.001},
            {"kind": "ablation"},
            {"name": "no energy"},
            {"parameters": {"latents": 26, "experts": ["trend", "range"]}},
            {"parameters": {"latents": 25, "experts": ["range", "trend"]}},
            {"parameters": {}},
        ],
    )
    def test_it_tells_configurations_apart(self, change: dict[str, object]) -> None:
        assert trial(**change).key != trial().key

    def test_results_do_not_enter(self) -> None:
        other = trial(results=results(daily_sharpe=-1.0, signals=0))
        assert other.key == trial().key
        assert other.results.key != trial().results.key

    def test_neither_the_order_of_parameters_nor_the_spelling_of_a_moment_enters(
        self,
    ) -> None:
        same = trial(
            parameters={"experts": ["trend", "range"], "latents": 25},
            start=pd.Timestamp("2022-01-01", tz="UTC"),
            end=datetime.fromisoformat("2024-01-01T00:00+01:00"),
        )
        assert same.key == trial().key


class TestResults:
    def test_digits_that_machines_disagree_about_are_dropped(self) -> None:
        # 0.1 + 0.2 is 0.30000000000000004.
        assert results(daily_sharpe=0.1 + 0.2) == results(daily_sharpe=0.3)

    def test_no_number_is_none(self) -> None:
        empty = results(signals=0, precision=float("nan"), net_return=np.float64("nan"))
        assert empty.precision is None
        assert empty.net_return is None
        assert empty.key == results(signals=0, precision=None).key

    @pytest.mark.parametrize("sharpe", [float("nan"), float("inf")])
    def test_a_trial_without_a_sharpe_ratio_is_refused(self, sharpe: float) -> None:
        with pytest.raises(ValidationError, match="finite"):
            results(daily_sharpe=sharpe)


class TestComparable:
    @pytest.fixture
    def trials(self) -> list[Trial]:
        return [
            trial(name="a", results=results(daily_sharpe=0.1)),
            trial(name="b", results=results(daily_sharpe=0.2)),
            trial(name="elsewhere", source="synthetic"),
            trial(name="longer", horizon_bars=24),
            trial(name="a", results=results(daily_sharpe=0.3)),
            trial(name="c", start="2020-10-01", results=results(daily_sharpe=-0.4)),
        ]

    def test_configurations_count_once_with_their_latest_results(
        self, trials: list[Trial]
    ) -> None:
        found = comparable(trials, "files in market/", 12)
        assert [t.name for t in found] == ["a", "b", "c"]
        assert n_trials(trials, "files in market/", 12) == 3
        np.testing.assert_array_equal(
            trial_sharpes(trials, "files in market/", 12), [0.3, 0.2, -0.4]
        )

    def test_nothing_tried_is_no_trial(self, trials: list[Trial]) -> None:
        assert n_trials(trials, "files in market/", 4) == 0
        assert trial_sharpes(trials, "files in market/", 4).shape == (0,)


class TestErrors:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"a": float("nan")},
            {"a": [1.0, float("inf")]},
            {"a": "\ud800"},
            {"a": (1, 2)},
            {"a": np.int64(1)},
        ],
    )
    def test_parameters_must_survive_json(self, parameters: dict[str, object]) -> None:
        with pytest.raises(ValidationError, match="parameters"):
            trial(parameters=parameters)

    def test_a_window_does_not_end_before_it_starts(self) -> None:
        with pytest.raises(ValidationError, match="before it starts at 2022-01-01"):
            trial(end="2021-12-31T23:00")

    def test_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="kind"):
            trial(kind="guess")
