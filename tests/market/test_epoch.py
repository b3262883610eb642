import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.epoch import days_since_epoch, hours_since_epoch

STAMPS = pd.DatetimeIndex(
    [
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T23:59:59.999999Z",
        "1970-01-02T01:00:00Z",
        "2024-02-29T12:30:00Z",
    ]
).as_unit("us")


class TestKnownValues:
    def test_hours(self):
        told = hours_since_epoch(STAMPS)

        # 2024 began 19,723 days after 1970; 29 February is its 60th day.
        assert told.tolist() == [-1, 0, 23, 25, (19_723 + 59) * 24 + 12]
        assert told.dtype == np.int64

    def test_days(self):
        told = days_since_epoch(STAMPS)

        assert told.tolist() == [-1, 0, 0, 1, 19_723 + 59]
        assert told.dtype == np.int64


class TestProperties:
    @pytest.mark.parametrize("count", [hours_since_epoch, days_since_epoch])
    def test_unit_zone_and_container_do_not_matter(self, count):
        expected = count(STAMPS).tolist()

        assert count(STAMPS.as_unit("ns")).tolist() == expected
        assert count(STAMPS.tz_convert("Asia/Kathmandu")).tolist() == expected
        assert count(pd.Series(STAMPS, index=range(5, 10))).tolist() == expected
        assert count(STAMPS[:0]).tolist() == []
