import numpy as np
import pandas as pd
import pytest

from fleet_kedro.audit.pairing import Demand, Pairing

HOURS = pd.date_range("2023-01-01", periods=4, freq="h", tz="UTC", unit="us")
ALL = np.ones(4, dtype=bool)
NONE = ~ALL


def table(values: list[float], **more: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"timestamp": HOURS[: len(values)], "asset": "BTC", "value": values, **more}
    )


BASE = table([1.0, np.nan, np.inf, 4.0])


class TestKnownValues:
    def test_equal_tables_agree_nan_and_infinity_included(self):
        assert Pairing(BASE, BASE).compare("value", Demand(ALL)) == (None, 2)

    def test_the_greatest_difference_and_the_first_row_are_told(self):
        other = table([1.0, np.nan, np.inf, 4.5], other=[0.0, 3.0, 0.0, 0.0])
        base = BASE.assign(other=0.0)
        found, compared = Pairing(base, other).compare(".*", Demand(ALL))
        assert found == (3.0, HOURS[1], "BTC", "other")
        assert compared == 6

    @pytest.mark.parametrize("value", [np.nan, -np.inf])
    def test_a_number_that_faces_none_differs_without_bound(self, value):
        other = table([1.0, np.nan, np.inf, value])
        found, _ = Pairing(BASE, other).compare("value", Demand(ALL))
        assert found == (np.inf, HOURS[3], "BTC", "value")

    def test_a_missing_row_differs_even_if_it_holds_no_number(self):
        other = BASE.drop(index=1)
        found, _ = Pairing(BASE, other).compare("value", Demand(ALL))
        assert found == (np.inf, HOURS[1], "BTC", "value")

    def test_rows_that_need_not_agree_do_not_matter(self):
        other = table([1.0, np.nan, np.inf, 9.0])
        agree = np.array([True, True, True, False])
        assert Pairing(BASE, other).compare("value", Demand(agree)) == (None, 1)

    def test_order_of_rows_does_not_matter(self):
        other = BASE.iloc[::-1]
        assert Pairing(BASE, other).compare("value", Demand(ALL))[0] is None

    def test_the_tolerance_is_relative_above_one_and_may_vary_by_row(self):
        base, other = table([0.1, 100.0]), table([0.1009, 100.09])
        pairing = Pairing(base, other)
        both = np.ones(2, dtype=bool)
        assert pairing.compare("value", Demand(both, 1e-3))[0] is None
        tight = Demand(both, np.array([1e-3, 1e-4]))
        found = pairing.compare("value", tight)[0]
        assert found is not None
        assert found.moment == HOURS[1]

    def test_a_number_where_nothing_can_be_known_is_found(self):
        unknown = np.array([False, True, False, False])
        other = table([1.0, 2.0, np.inf, 4.0])
        found, _ = Pairing(BASE, other).compare("value", Demand(NONE, unknown=unknown))
        assert found == (np.inf, HOURS[1], "BTC", "value")
        assert Pairing(BASE, BASE).compare("value", Demand(NONE, unknown=unknown)) == (
            None,
            0,
        )

    def test_a_number_that_should_have_noticed_is_found(self):
        changed = np.array([True, False, False, False])
        found, _ = Pairing(BASE, BASE).compare("value", Demand(NONE, changed=changed))
        assert found == (np.inf, HOURS[0], "BTC", "value")


class TestErrors:
    def test_a_column_that_is_not_there(self):
        with pytest.raises(ValueError, match="No column of the table matches 'val'"):
            Pairing(BASE, BASE).compare("val", Demand(ALL))
