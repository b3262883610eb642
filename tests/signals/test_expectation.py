import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.signals.expectation import (
    Absence,
    ExpectedReturns,
    choose_source,
)

NAN = np.nan


def one(expected: float, low: float = NAN, high: float = NAN) -> ExpectedReturns:
    return ExpectedReturns.of(*(np.array([[v]]) for v in (expected, low, high)))


def cell(returns: ExpectedReturns) -> tuple[float, float, float, int]:
    return tuple(values[0, 0].item() for values in returns)


class TestKnownValues:
    @pytest.mark.parametrize("value", [NAN, np.inf, -np.inf, -1.0, -7.0])
    def test_what_cannot_be_a_return_is_unknown(self, value: float) -> None:
        expected, low, high, absence = cell(one(value, -0.01, 0.01))

        assert np.isnan([expected, low, high]).all()
        assert absence == Absence.NO_FORECAST

    @pytest.mark.parametrize(
        ("low", "high"), [(NAN, 0.02), (0.0, NAN), (0.02, 0.01), (-np.inf, 0.1)]
    )
    def test_half_an_interval_is_none(self, low: float, high: float) -> None:
        expected, got_low, got_high, absence = cell(one(0.01, low, high))

        assert expected == 0.01
        assert np.isnan([got_low, got_high]).all()
        assert absence == Absence.NONE

    def test_log_returns_become_simple_ones(self) -> None:
        logs = [np.array([[np.log(x)]]) for x in (1.02, 0.99, 1.05)]
        got = ExpectedReturns.of_log_returns(*logs)

        np.testing.assert_allclose(cell(got)[:3], [0.02, -0.01, 0.05], rtol=1e-12)

    def test_a_narrow_interval_weighs_more(self) -> None:
        # Widths 2 % and 4 %: weights 1/4 and 1/16, that is 0.8 and 0.2.
        got = choose_source(one(0.01, 0.0, 0.02), one(0.03, 0.01, 0.05), "both")

        np.testing.assert_allclose(cell(got)[:3], [0.014, 0.002, 0.026])

    @pytest.mark.parametrize("other", [one(0.03), one(0.03, 0.03, 0.03)])
    def test_without_two_widths_both_count_equally(
        self, other: ExpectedReturns
    ) -> None:
        got = choose_source(one(0.01, 0.0, 0.02), other, "both")

        assert cell(got)[0] == pytest.approx(0.02)

    def test_no_interval_on_one_side_leaves_none(self) -> None:
        got = choose_source(one(0.01, 0.0, 0.02), one(0.03), "both")

        assert np.isnan(cell(got)[1:3]).all()

    @pytest.mark.parametrize("turned", [False, True])
    def test_where_only_one_knows_it_stands_alone(self, turned: bool) -> None:
        pair = [one(0.01, 0.0, 0.02), one(NAN)]
        got = choose_source(*(pair[::-1] if turned else pair), "both")

        assert cell(got) == (0.01, 0.0, 0.02, Absence.NONE)

    def test_where_none_knows_the_first_says_why(self) -> None:
        nothing = ExpectedReturns.unknown((1, 1), Absence.NO_MODEL)
        got = choose_source(nothing, one(NAN), "both")

        assert cell(got)[3] == Absence.NO_MODEL

    def test_one_source_is_never_filled_from_the_other(self) -> None:
        got = choose_source(one(NAN), one(0.03), "ensemble")

        assert cell(got)[3] == Absence.NO_FORECAST

    def test_both_is_content_with_one(self) -> None:
        assert cell(choose_source(None, one(0.03), "both"))[0] == 0.03

    def test_a_new_reason_goes_before_an_old_one(self) -> None:
        stale = np.array([[Absence.STALE_CANDLE]], dtype=np.int8)
        none = np.array([[Absence.NONE]], dtype=np.int8)

        assert cell(one(0.01).without(stale))[3] == Absence.STALE_CANDLE
        assert cell(one(NAN).without(stale))[3] == Absence.STALE_CANDLE
        assert cell(one(NAN).without(none))[3] == Absence.NO_FORECAST
        assert cell(one(0.01, 0.0, 0.02).without(none)) == (0.01, 0.0, 0.02, 0)


class TestProperties:
    @settings(max_examples=50, deadline=None)
    @given(
        middle=st.tuples(*[st.floats(-0.1, 0.1)] * 2),
        half=st.tuples(*[st.floats(1e-6, 0.1)] * 2),
    )
    def test_both_lies_between_and_does_not_ask_who_is_first(
        self, middle: tuple[float, float], half: tuple[float, float]
    ) -> None:
        first, second = (
            one(m, m - h, m + h) for m, h in zip(middle, half, strict=True)
        )
        got = cell(choose_source(first, second, "both"))
        turned = cell(choose_source(second, first, "both"))

        assert min(middle) - 1e-12 <= got[0] <= max(middle) + 1e-12
        assert got[1] <= got[0] <= got[2]
        np.testing.assert_allclose(got, turned, atol=1e-12)

    @settings(max_examples=50, deadline=None)
    @given(
        values=st.lists(
            st.one_of(st.floats(-2, 2), st.sampled_from([NAN, np.inf])),
            min_size=3,
            max_size=3,
        )
    )
    def test_absent_exactly_where_there_is_no_number(self, values: list[float]) -> None:
        expected, low, high, absence = cell(one(*values))

        assert np.isnan(expected) == (absence != Absence.NONE)
        assert np.isnan(low) == np.isnan(high)


class TestErrors:
    @pytest.mark.parametrize(
        ("source", "given_", "message"),
        [
            ("ensemble", (None, one(0.01)), "but the brain is given"),
            ("brain", (one(0.01), None), "but the ensemble is given"),
            ("both", (None, None), "neither of them is given"),
        ],
    )
    def test_a_source_that_is_not_there(
        self, source: str, given_: tuple[object, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            choose_source(*given_, source)
