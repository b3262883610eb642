import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.market.gaps import GapPolicy, bridge_gaps, missing_hours
from fleet_kedro.market.schema import CANDLE

hours_of_candles = st.lists(
    st.integers(min_value=1, max_value=12), min_size=0, max_size=40
).map(lambda steps: [0, *np.cumsum(steps).tolist()])


def bridge_literally(candles: pd.DataFrame, limit: int) -> list[tuple]:
    """Walk hour by hour: what a person with a pencil would do."""
    given = {row.timestamp: row for row in candles.itertuples(index=False)}
    stamps, rows, segment = sorted(given), [], 0
    for stamp, following in zip(stamps, [*stamps[1:], None], strict=True):
        row = given[stamp]
        numbers = (row.open, row.high, row.low, row.close, row.volume)
        rows.append((stamp, *numbers, False, segment))
        if following is None:
            break
        absent = pd.date_range(stamp, following, freq="h", inclusive="neither")
        if len(absent) > limit:
            segment += 1
        else:
            flat = (row.close,) * 4
            rows.extend((hour, *flat, 0.0, True, segment) for hour in absent)
    return rows


class TestKnownValues:
    def test_a_gap_at_the_limit_is_bridged_and_one_above_splits(self, candles_at):
        bridged = bridge_gaps(candles_at([0, 3, 7]), GapPolicy(max_filled_hours=2))

        assert bridged["timestamp"].dt.hour.tolist() == [0, 1, 2, 3, 7]
        assert bridged["is_filled"].tolist() == [False, True, True, False, False]
        assert bridged["segment"].tolist() == [0, 0, 0, 0, 1]
        assert bridged["segment"].dtype == np.int32
        assert bridged.loc[1, CANDLE].tolist() == [101.0, 101.0, 101.0, 101.0, 0.0]

    def test_missing_hours_lie_between_candles(self, candles_at):
        assert missing_hours(candles_at([0, 1, 5])["timestamp"]).tolist() == [0, 3]


class TestAgainstSlowReference:
    @given(hours=hours_of_candles, limit=st.integers(min_value=0, max_value=8))
    def test_equals_the_walk_hour_by_hour(self, candles_at, hours, limit):
        candles = candles_at(hours)
        bridged = bridge_gaps(candles, GapPolicy(max_filled_hours=limit))
        columns = ["timestamp", *CANDLE, "is_filled", "segment"]
        assert list(bridged[columns].itertuples(index=False, name=None)) == (
            bridge_literally(candles, limit)
        )


class TestProperties:
    @given(hours=hours_of_candles, limit=st.integers(min_value=0, max_value=8))
    def test_no_candle_is_lost_and_none_invented_beyond_the_limit(
        self, candles_at, hours, limit
    ):
        candles = candles_at(hours)
        bridged = bridge_gaps(candles, GapPolicy(max_filled_hours=limit))

        real = bridged.loc[~bridged["is_filled"], candles.columns]
        pd.testing.assert_frame_equal(real.reset_index(drop=True), candles)
        runs = bridged["is_filled"].groupby((~bridged["is_filled"]).cumsum()).sum()
        assert runs.max() <= limit
        within = bridged.groupby("segment")["timestamp"].diff().dropna()
        assert (within == pd.Timedelta(hours=1)).all()

    @given(hours=hours_of_candles, cut=st.integers(min_value=1, max_value=40))
    def test_later_candles_change_no_earlier_candle(self, candles_at, hours, cut):
        candles = candles_at(hours)
        early = bridge_gaps(candles.iloc[:cut], GapPolicy())
        whole = bridge_gaps(candles, GapPolicy())
        pd.testing.assert_frame_equal(whole.iloc[: len(early)], early)

    def test_leaves_its_input_alone(self, candles_at):
        given = candles_at([0, 3])
        bridge_gaps(given, GapPolicy())
        pd.testing.assert_frame_equal(given, candles_at([0, 3]))


class TestErrors:
    def test_a_negative_limit_is_refused(self):
        with pytest.raises(ValueError, match="max_filled_hours"):
            GapPolicy(max_filled_hours=-1)
