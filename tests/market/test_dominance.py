import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.schema import Dominance

BTC, USDT = "btc_dominance_pct", "usdt_dominance_pct"
STAMP = "datetime64[us, UTC]"
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)
ORIGIN = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")


def hours(*counts: int) -> pd.DatetimeIndex:
    return ORIGIN + pd.to_timedelta(list(counts), unit="h").as_unit("us")


def shares(*rows: tuple[int, int, float], source: str = "a") -> pd.DataFrame:
    """Rows of (day, hour at which it is available, BTC.D in percent)."""
    day, hour, share = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "timestamp": [ORIGIN + DAY * d for d in day],
            "series": "BTC.D",
            "dominance_pct": np.array(share, dtype=float),
            "source": source,
            "available_at": [ORIGIN + HOUR * h for h in hour],
        }
    )
    return Dominance.validate(
        frame.astype(dict.fromkeys(["timestamp", "available_at"], STAMP))
    )


def join_literally(
    timestamps: pd.DatetimeIndex, dominance: pd.DataFrame, max_stale_days: int
) -> list[float]:
    """For each bar, search everything that was known."""
    found = []
    for stamp in timestamps:
        known = [
            row
            for row in dominance.itertuples(index=False)
            if row.available_at <= stamp + HOUR
        ]
        best = max(
            known, key=lambda row: (row.timestamp, row.available_at), default=None
        )
        fresh = best and stamp + HOUR - best.available_at <= DAY * max_stale_days
        found.append(best.dominance_pct if fresh else np.nan)
    return found


class TestKnownValues:
    def test_a_value_joins_at_the_first_close_at_which_it_is_available(self):
        joined = join_dominance(
            hours(22, 23, 24, 47),
            shares((0, 24, 40.0), (1, 48, 41.0)),
            DominancePolicy(),
        )
        # Bar 23 closes at hour 24, just as the value of day 0 comes out.
        assert joined[BTC].tolist()[1:] == [40.0, 40.0, 41.0]
        assert np.isnan(joined[BTC].iloc[0])
        assert joined[USDT].isna().all()

    def test_a_stale_value_is_no_value(self):
        joined = join_dominance(
            hours(24 + 23, 24 + 24),
            shares((0, 24, 40.0)),
            DominancePolicy(max_stale_days=1),
        )
        assert joined[BTC].iloc[0] == 40.0
        assert np.isnan(joined[BTC].iloc[1])

    def test_without_dominance_everything_is_unknown(self):
        joined = join_dominance(hours(0, 1), Dominance.empty(), DominancePolicy())
        assert joined.columns.tolist() == [BTC, USDT]
        assert joined.isna().all(axis=None)
        assert len(joined) == 2

    def test_only_the_chosen_source_counts(self):
        mixed = pd.concat([shares((0, 24, 40.0)), shares((0, 25, 44.0), source="b")])
        joined = join_dominance(hours(30), mixed, DominancePolicy(source="a"))
        assert joined[BTC].tolist() == [40.0]

    def test_late_news_of_an_old_day_does_not_replace_a_newer_one(self):
        joined = join_dominance(
            hours(50), shares((1, 48, 41.0), (0, 49, 40.0)), DominancePolicy()
        )
        assert joined[BTC].tolist() == [41.0]


class TestAgainstSlowReference:
    @given(
        rows=st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 200)),
            min_size=1,
            max_size=12,
            unique_by=lambda row: row,
        ),
        bars=st.lists(st.integers(-10, 300), min_size=1, max_size=30),
        max_stale_days=st.integers(1, 4),
    )
    def test_equals_a_search_through_all_that_was_known(
        self, rows, bars, max_stale_days
    ):
        dominance = shares(*((d, h, float(i)) for i, (d, h) in enumerate(rows)))
        joined = join_dominance(
            hours(*bars), dominance, DominancePolicy(max_stale_days=max_stale_days)
        )
        expected = join_literally(hours(*bars), dominance, max_stale_days)
        np.testing.assert_array_equal(joined[BTC].to_numpy(), expected)


class TestProperties:
    @pytest.mark.parametrize("cut", [1, 23, 24, 60])
    def test_what_is_published_later_changes_nothing_earlier(self, cut):
        dominance = shares(*((d, 24 * d + 24, 40.0 + d) for d in range(5)))
        bars = hours(*range(cut))
        known = dominance.loc[dominance["available_at"] <= ORIGIN + HOUR * cut]
        pd.testing.assert_frame_equal(
            join_dominance(bars, dominance, DominancePolicy()),
            join_dominance(bars, known, DominancePolicy()),
        )


class TestErrors:
    def test_two_sources_are_never_mixed(self):
        mixed = pd.concat([shares((0, 24, 40.0)), shares((0, 24, 44.0), source="b")])
        with pytest.raises(
            MarketError, match="comes from a, b, which must not be mixed"
        ):
            join_dominance(hours(0), mixed, DominancePolicy())

    def test_a_source_that_is_not_there_is_named(self):
        with pytest.raises(MarketError, match="no source 'c'; name one of a"):
            join_dominance(hours(0), shares((0, 24, 1.0)), DominancePolicy(source="c"))
