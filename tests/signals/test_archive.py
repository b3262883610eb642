"""Signals are filed by their moment; none is ever lost or overwritten."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from fleet_kedro.signals.archive import file_signal, filed_signals
from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.portfolio_signal import compose_signal
from fleet_kedro.signals.signal_document import signal_text
from fleet_kedro.signals.soundness import AssetFacts

NOW = datetime(2025, 10, 25, 19, 26, 8, tzinfo=UTC)


def text_of(moment: datetime, expected_return: float = 0.02) -> str:
    middle = np.array([[expected_return]])
    inputs = DecisionInputs(
        ("BTC",),
        ExpectedReturns.of(middle, middle - 0.01, middle + 0.01),
        np.ones((1, 1)),
        np.array([np.nan]),
        np.array([np.nan]),
    )
    facts = {"BTC": AssetFacts(moment - timedelta(minutes=90), 100.0)}
    return signal_text(compose_signal(moment, inputs, facts, SignalSettings()))


def test_a_signal_bears_the_name_of_its_moment(tmp_path):
    path = file_signal(tmp_path / "signals", text_of(NOW))

    assert path.name == "2025-10-25T192608Z.json"
    assert path.read_text(encoding="utf-8") == text_of(NOW)


def test_a_part_of_a_second_belongs_to_the_name(tmp_path):
    path = file_signal(tmp_path, text_of(NOW.replace(microsecond=40)))

    assert path.name == "2025-10-25T192608.000040Z.json"


def test_the_same_signal_is_filed_once(tmp_path):
    paths = {file_signal(tmp_path, text_of(NOW)) for _ in range(3)}

    assert filed_signals(tmp_path) == sorted(paths)
    assert len(paths) == 1


def test_another_one_for_the_same_moment_lies_beside_it(tmp_path):
    texts = [text_of(NOW, size / 100) for size in range(1, 13)]
    paths = [file_signal(tmp_path, text) for text in texts]

    assert [path.read_text(encoding="utf-8") for path in paths] == texts
    assert [file_signal(tmp_path, text) for text in texts] == paths
    # The tenth is named _10, and still comes behind _2.
    assert filed_signals(tmp_path) == paths


def test_they_are_told_oldest_first(tmp_path):
    hours = (5, 0, -30, 12)
    filed = {h: file_signal(tmp_path, text_of(NOW + timedelta(hours=h))) for h in hours}
    (tmp_path / ".2025-10-25T202608Z.json.draft").write_text("a killed writer's")

    assert filed_signals(tmp_path) == [filed[hour] for hour in sorted(hours)]


def test_what_is_no_signal_is_not_filed(tmp_path):
    with pytest.raises(ValidationError, match="schema_version"):
        file_signal(tmp_path, "{}")

    assert filed_signals(tmp_path) == []
