import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.dominance import read_shares, update_dominance
from fleet_kedro.market.exchange.dominance_settings import DominanceApi
from fleet_kedro.market.schema import Dominance

DAILY = {"shape": "daily", "records": "", "source": "mirror"}
TODAY = pd.Timestamp("2024-03-01 09:30", tz="UTC")


def day(date, btc=50.0, usdt=6.0):
    return {"date": date, "btc": btc, "usdt": usdt}


def snapshot(btc, usdt):
    return {"data": {"market_cap_percentage": {"btc": btc, "eth": 17, "usdt": usdt}}}


def update(folder, hourglass, **settings):
    api = DominanceApi(**settings)
    clock, rng = hourglass.clock(), np.random.default_rng(1)
    return update_dominance(folder, api, clock, rng)


class TestKnownValues:
    def test_a_day_is_known_after_the_midnight_that_ends_it(
        self, script, hourglass, tmp_path
    ):
        """It is 2024-03-01 00:00: the last day has just ended, and its margin runs."""
        days = [day("2024-02-26"), day("2024-02-28", 51.0, 5.5), day("2024-02-29")]
        script.answers = [(200, days, {})]

        found = update(tmp_path, hourglass, url=script.url, **DAILY)

        Dominance.validate(found)
        assert found["timestamp"].dt.day.unique().tolist() == [26, 28]
        late = found.loc[found["timestamp"].dt.day == 28]
        assert late["dominance_pct"].tolist() == [51.0, 5.5]
        assert set(late["available_at"]) == {pd.Timestamp("2024-02-29 01:00", tz="UTC")}
        assert set(found["source"]) == {"mirror"}

    def test_a_missing_day_stays_missing(self, script, hourglass, tmp_path):
        script.answers = [(200, [day("2024-02-20"), day("2024-02-27")], {})]
        found = update(tmp_path, hourglass, url=script.url, **DAILY)
        hours = pd.date_range("2024-02-20", "2024-02-28 12:00", freq="h", tz="UTC")

        joined = join_dominance(hours, found, DominancePolicy(max_stale_days=1))

        known = joined["btc_dominance_pct"].notna()
        assert known.loc["2024-02-21 00:00":"2024-02-22 00:00"].all()
        assert not known.loc["2024-02-22 01:00":"2024-02-27 23:00"].any()
        assert known.loc["2024-02-28 00:00":].all()

    def test_the_last_look_at_a_day_stands_for_it(self, script, hourglass, tmp_path):
        script.answers = [(200, snapshot(b, 6.0), {}) for b in (50.0, 50.5, 52.0)]
        for hours in (1, 9, 24):
            assert update(tmp_path, hourglass, url=script.url).empty or hours == 24
            hourglass.sleep(hours * 3600)
        found = update(tmp_path, hourglass, url=script.url)  # on the third day

        shares = found.loc[found["series"] == "BTC.D"].set_index("timestamp")
        assert shares["dominance_pct"].to_dict() == {
            pd.Timestamp("2024-03-01", tz="UTC"): 52.0
        }

    def test_an_ended_day_is_not_changed_by_a_later_answer(
        self, script, hourglass, tmp_path
    ):
        script.answers = [(200, [day("2024-02-27", share)], {}) for share in (50, 60)]

        first, second = (
            update(tmp_path, hourglass, url=script.url, **DAILY) for _ in range(2)
        )

        pd.testing.assert_frame_equal(first, second)

    def test_a_share_that_is_none_is_left_out(self):
        answer = [day("2024-02-27", 130.0), day("2024-02-28")]
        found = read_shares(answer, DominanceApi(**DAILY), TODAY)
        assert found["timestamp"].dt.day.tolist() == [28]


class TestPatience:
    @pytest.mark.parametrize(
        "trouble",
        [
            (503, "", {}),
            (429, "", {"Retry-After": "20"}),
            (200, '[{"date": "2024-0', {}),
        ],
    )
    def test_what_passes_is_waited_for(self, script, hourglass, tmp_path, trouble):
        script.answers = [trouble, trouble, (200, [day("2024-02-27")], {})]

        found = update(tmp_path, hourglass, url=script.url, **DAILY)

        assert len(found) == 2
        assert len(script.requests) == 3
        told = 20 if trouble[0] == 429 else 0
        assert hourglass.slept[0] >= told + 0.5
        assert hourglass.slept[1] >= told + 1.0

    def test_without_an_answer_what_was_kept_is_returned_with_a_warning(
        self, script, hourglass, tmp_path, caplog
    ):
        script.answers = [(200, [day("2024-02-27")], {}), (503, "", {})]
        kept = update(tmp_path, hourglass, url=script.url, **DAILY)
        found = update(tmp_path, hourglass, url=script.url, max_attempts=3, **DAILY)

        pd.testing.assert_frame_equal(found, kept)
        assert len(script.requests) == 4
        assert "mirror does not answer (status 503)" in caplog.text

    def test_a_refusal_is_not_repeated(self, script, hourglass, tmp_path):
        script.answers = [(403, "", {})]
        assert update(tmp_path, hourglass, url=script.url, **DAILY).empty
        assert len(script.requests) == 1

    def test_without_an_address_nobody_is_asked(self, hourglass, tmp_path):
        assert update(tmp_path, hourglass, url="").empty
        assert list(tmp_path.iterdir()) == []


class TestErrors:
    def test_another_shape_is_told(self):
        with pytest.raises(MarketError, match=r"no data.market_cap_percentage with"):
            read_shares({"status": "ok"}, DominanceApi(), TODAY)

    def test_a_key_goes_into_its_header_and_nowhere_else(
        self, script, hourglass, tmp_path, monkeypatch, caplog
    ):
        marked = "MARKED-KEY-90d2"
        monkeypatch.setenv("A_KEY", marked)
        script.answers = [(200, [day("2024-02-27")], {}), (500, marked, {})]
        for _ in range(2):
            update(
                tmp_path,
                hourglass,
                **{"url": script.url, "key_variable": "A_KEY", "max_attempts": 2},
                **DAILY,
            )

        assert all(h["x-cg-demo-api-key"] == marked for _, h in script.requests)
        assert all(marked not in path for path, _ in script.requests)
        written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert marked.encode() not in written
        assert marked not in caplog.text
