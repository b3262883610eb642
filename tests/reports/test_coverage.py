import numpy as np
import pandas as pd
import pytest

from fleet_kedro.reports.figures.coverage import draw_coverage
from fleet_kedro.reports.findings import MOST_LINES, finding_lines

DAYS = pd.date_range("2023-01-01", periods=3, tz="UTC", unit="us")


@pytest.fixture
def coverage() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "asset": ["BTC"] * 3 + ["ETH"] * 3,
            "day": [*DAYS, *DAYS],
            "candles": [24, 20, 24, 0, 20, 23],
            "outage_hours": [0, 4, 0, 0, 4, 0],
        }
    )


def finding(rule: str, action: str, hour: int) -> dict[str, object]:
    stamp = DAYS[0] + pd.Timedelta(hours=hour)
    return {
        "asset": "ETH",
        "rule": rule,
        "action": action,
        "first": stamp,
        "last": stamp,
        "rows": 1,
    }


class TestCalendar:
    def test_each_cell_is_a_day_of_an_asset(self, coverage):
        (calendar,) = draw_coverage(coverage).data

        assert list(calendar.y) == ["BTC", "ETH"]
        assert len(calendar.x) == 3
        np.testing.assert_array_equal(calendar.z, [[24, 20, 24], [0, 20, 23]])
        np.testing.assert_array_equal(calendar.customdata, [[0, 4, 0], [0, 4, 0]])

    def test_one_missing_hour_has_another_colour_than_none(self, coverage):
        (calendar,) = draw_coverage(coverage).data
        steps = dict(calendar.colorscale[-2:])
        assert calendar.colorscale[-1][0] == 1.0
        assert min(steps) > 23 / 24


class TestLines:
    def test_sound_candles_need_one_line(self):
        empty = pd.DataFrame(columns=["asset", "rule", "action", "rows"])
        assert finding_lines(empty) == ["Gate: every candle keeps every rule."]

    def test_dirt_is_named_and_the_rest_counted(self):
        rows = [finding("high_low", "dropped", h) for h in range(MOST_LINES + 3)]
        lines = finding_lines(pd.DataFrame([*rows, finding("jump", "kept", 40)]))

        assert lines[0] == "Gate: high_low 15 (15 h), jump 1 (1 h)."
        assert lines[1] == "  ETH at 2023-01-01 00:00: high_low (1, dropped)"
        assert lines[-1] == "  and 3 more"
        assert len(lines) == MOST_LINES + 2
