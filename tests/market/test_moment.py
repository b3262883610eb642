from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fleet_kedro.market.moment import show, to_utc

LAST = datetime(2023, 12, 31, 23, tzinfo=UTC)


class TestKnownValues:
    @pytest.mark.parametrize(
        "spelling",
        [
            "2023-12-31T23:00",
            "2023-12-31T23:00:00",
            "2023-12-31T23:00:00Z",
            "2023-12-31 23:00",
            "2024-01-01T01:00+02:00",
            datetime(2023, 12, 31, 23),
            datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        ],
    )
    def test_every_spelling_means_the_same_utc_moment(self, spelling):
        assert to_utc(spelling) == LAST
        assert to_utc(spelling).utcoffset() == timedelta(0)

    def test_a_bare_date_is_its_midnight(self):
        assert to_utc(date(2023, 12, 31)) == LAST.replace(hour=0)
        assert to_utc("2023-12-31") == LAST.replace(hour=0)

    def test_shows_minutes(self):
        assert show(LAST) == "2023-12-31 23:00"


class TestErrors:
    @pytest.mark.parametrize("value", ["yesterday", 2023, None, ""])
    def test_nonsense_is_named(self, value):
        with pytest.raises(ValueError, match="is no moment in UTC; write it like"):
            to_utc(value)
