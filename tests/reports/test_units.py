import math

import pytest

from fleet_kedro.reports.units import (
    basis_points,
    decimals,
    in_unit,
    interval,
    percent,
    points,
)


class TestKnownValues:
    @pytest.mark.parametrize(
        ("write", "value", "expected"),
        [
            (percent, 0.5784, "57.8%"),
            (points, 0.0219, "+2.2"),
            (points, -0.0219, "-2.2"),
            (basis_points, 0.00123, "+12.3"),
        ],
    )
    def test_each_unit_has_its_own_writing(self, write, value, expected):
        assert write(value) == expected

    @pytest.mark.parametrize(
        ("unit", "expected"),
        [("percent", "1.2%"), ("points", "+1.2 points"), ("basis points", "+120.0 bp")],
    )
    def test_a_criterion_is_written_in_its_own_unit(self, unit, expected):
        assert in_unit(0.012, unit) == expected

    def test_what_rounds_to_zero_has_no_minus(self):
        assert points(-0.0002) == "+0.0"

    def test_an_interval_shows_both_ends(self):
        assert interval(-0.01, 0.02, points) == "[-1.0, +2.0]"


class TestNoValue:
    @pytest.mark.parametrize("write", [percent, points, basis_points])
    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_no_finite_number_is_not_available(self, write, value):
        assert write(value) == "n/a"
        assert decimals(value, 3) == "n/a"

    def test_an_interval_with_an_open_end_is_left_out(self):
        assert interval(math.nan, 0.1, points) == ""
