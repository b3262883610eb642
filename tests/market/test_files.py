import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fleet_kedro.market.candle_files import KLINE_COLUMNS, parse_name, read_candle_file
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.lineage import Lineage
from fleet_kedro.market.schema import CANDLE, Dominance, RawCandles
from fleet_kedro.market.universe import Universe

BTC = Universe(assets=["BTC"])


def kline_text(candles: pd.DataFrame, unit: str, *, header: bool) -> bytes:
    """The twelve columns that Binance publishes, stamps in ``unit`` since 1970."""
    stamp = candles["timestamp"].dt.as_unit(unit).astype("int64")
    table = candles[CANDLE].assign(open_time=stamp, close_time=stamp + 3_599_999)
    text = table.reindex(columns=KLINE_COLUMNS, fill_value=0)
    return text.to_csv(index=False, header=header).encode()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def write_parquet(folder: Path, candles: pd.DataFrame) -> None:
    table = candles.drop(columns="symbol").assign(
        timestamp=candles["timestamp"].dt.as_unit("ms"), trades=1
    )
    table.to_parquet(folder / "BTCUSDT-1h.parquet")


def write_freqtrade(folder: Path, candles: pd.DataFrame) -> None:
    candles.rename(columns={"timestamp": "date"})[["date", *CANDLE]].assign(
        date=lambda table: table["date"].dt.as_unit("ms")
    ).to_feather(folder / "BTC_USDT-1h.feather", compression="lz4")


def write_indexed_parquet(folder: Path, candles: pd.DataFrame) -> None:
    table = candles.set_index("timestamp").rename(columns=str.capitalize)
    table.tz_localize(None).to_parquet(folder / "BTCUSDT-1h.parquet")


def write_csv_in_capitals(folder: Path, candles: pd.DataFrame) -> None:
    table = candles.rename(columns={"timestamp": "Open time"}).drop(columns="symbol")
    text = table.rename(columns=str.capitalize).to_csv(index=False)
    (folder / "BTCUSDT-1h.csv").write_text(text, encoding="utf-8-sig")


def write_csv_in_seconds(folder: Path, candles: pd.DataFrame) -> None:
    stamp = candles["timestamp"].dt.as_unit("s").astype("int64")
    candles.assign(timestamp=stamp).to_csv(folder / "BTCUSDT-1h.csv", index=False)


def write_kline_csv(folder: Path, candles: pd.DataFrame) -> None:
    text = kline_text(candles, "ms", header=False)
    (folder / "BTCUSDT-1h-2023-01.csv").write_bytes(text)


def write_kline_zips(folder: Path, candles: pd.DataFrame) -> None:
    """Three periods: milliseconds with and without header, then microseconds."""
    parts = [
        ("2023-01", candles.iloc[:10], "ms", True),
        ("2023-02", candles.iloc[10:20], "ms", False),
        ("2023-02-20", candles.iloc[20:], "us", False),
    ]
    for period, part, unit, header in parts:
        name = f"BTCUSDT-1h-{period}"
        text = kline_text(part, unit, header=header)
        (folder / f"{name}.zip").write_bytes(zipped(f"{name}.csv", text))


WRITERS = [
    write_parquet,
    write_freqtrade,
    write_indexed_parquet,
    write_csv_in_capitals,
    write_csv_in_seconds,
    write_kline_csv,
    write_kline_zips,
]


class TestFormats:
    @pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
    @pytest.mark.parametrize("inside", ["", "candles"])
    def test_what_is_written_is_read_back(
        self,
        tmp_path: Path,
        candles_at,
        write: Callable[[Path, pd.DataFrame], None],
        inside: str,
    ):
        (tmp_path / inside).mkdir(exist_ok=True)
        write(tmp_path / inside, candles_at(range(30)))

        market = CandleFolder(folder=str(tmp_path)).read(BTC)

        RawCandles.validate(market.candles["BTC"])
        pd.testing.assert_frame_equal(market.candles["BTC"], candles_at(range(30)))
        assert market.dominance.empty
        assert market.truth.empty

    @pytest.mark.parametrize(
        ("name", "symbol", "interval", "period"),
        [
            ("BTCUSDT-1h.parquet", "BTCUSDT", "1h", ""),
            ("btc_usdt-4h.feather", "BTCUSDT", "4h", ""),
            ("1000SHIBUSDT-1h-2023-01.zip", "1000SHIBUSDT", "1h", "2023-01"),
            ("BTCUSDT-1h-2023-01-31.csv", "BTCUSDT", "1h", "2023-01-31"),
        ],
    )
    def test_a_name_says_what_the_file_holds(self, name, symbol, interval, period):
        file = parse_name(Path(name))
        assert (file.symbol, file.interval, file.period) == (symbol, interval, period)

    @pytest.mark.parametrize(
        "name", ["README.md", "BTCUSDT.parquet", "BTC_USDT_USDT-1h-futures.feather"]
    )
    def test_other_names_are_passed_over(self, name):
        assert parse_name(Path(name)) is None


class TestChoice:
    def test_only_requested_hourly_files_are_opened(self, tmp_path, candles_at):
        write_parquet(tmp_path, candles_at(range(3)))
        for name in ("ETHUSDT-1h.parquet", "BTCUSDT-1d.parquet", "notes-1h.txt"):
            (tmp_path / name).write_bytes(b"not a table")
        market = CandleFolder(folder=str(tmp_path)).read(BTC)
        assert list(market.candles) == ["BTC"]
        assert len(market.candles["BTC"]) == 3

    def test_a_lineage_is_stitched_from_the_listings_that_are_there(
        self, tmp_path, candles_at
    ):
        write_parquet(tmp_path, candles_at(range(10)))
        listings = [
            {"symbol": "BTCUSDT", "until": "2023-01-01T04:00"},
            {"symbol": "XBTUSDT", "since": "2023-01-01T04:00"},
        ]
        universe = Universe(assets=["BTC"], lineage={"BTC": Lineage(listings=listings)})
        market = CandleFolder(folder=str(tmp_path)).read(universe)
        assert market.candles["BTC"]["timestamp"].dt.hour.tolist() == [0, 1, 2, 3]

    def test_dominance_is_read_where_it_is_there(self, tmp_path, candles_at):
        (tmp_path / "candles").mkdir()
        write_parquet(tmp_path / "candles", candles_at(range(3)))
        day = pd.Series(pd.to_datetime(["2023-01-01"], utc=True)).dt.as_unit("ms")
        pd.DataFrame(
            {
                "timestamp": day,
                "series": "BTC.D",
                "dominance_pct": 48.5,
                "source": "coingecko",
                "available_at": day + pd.Timedelta(days=1),
                "note": "not needed",
            }
        ).to_parquet(tmp_path / "dominance-1d.parquet")

        market = CandleFolder(folder=str(tmp_path)).read(BTC)

        Dominance.validate(market.dominance)
        assert market.dominance["dominance_pct"].tolist() == [48.5]

    def test_an_unreadable_number_is_left_to_cleaning(self, tmp_path, candles_at):
        path = tmp_path / "BTCUSDT-1h.csv"
        table = candles_at(range(3)).astype({"volume": "object"})
        table.assign(volume=[1.0, "n/a?", 2.0]).to_csv(path, index=False)
        assert read_candle_file(path)["volume"].isna().tolist() == [False, True, False]


class TestErrors:
    @pytest.mark.parametrize("folder", ["", "  "])
    def test_a_folder_that_is_not_set(self, folder):
        with pytest.raises(MarketError, match="not set; set FLEET_MARKET_DIR to it"):
            CandleFolder(folder=folder).read(BTC)

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(MarketError, match=r"gone' does not exist; set FLEET_MARKE"):
            CandleFolder(folder=str(tmp_path / "gone")).read(BTC)

    def test_a_folder_without_hourly_candles(self, tmp_path):
        (tmp_path / "BTCUSDT-1d.parquet").write_bytes(b"")
        with pytest.raises(MarketError, match="holds no hourly candle files, such as"):
            CandleFolder(folder=str(tmp_path)).read(BTC)

    def test_an_unknown_asset(self, tmp_path, candles_at):
        write_parquet(tmp_path, candles_at(range(3)))
        (tmp_path / "SOLUSDT-1h.parquet").write_bytes(b"")
        with pytest.raises(
            MarketError,
            match=r"'BTTC' is unknown: .* no hourly candles of BTTCUSDT, only of "
            r"BTCUSDT, SOLUSDT\. Did you mean BTCUSDT\? Correct",
        ):
            CandleFolder(folder=str(tmp_path)).read(Universe(assets=["BTTC"]))

    @pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
    def test_a_missing_column(self, tmp_path, candles_at, kind):
        path = tmp_path / f"BTCUSDT-1h.{kind}"
        table = candles_at(range(3)).drop(columns=["volume", "symbol"])
        if kind == "csv":
            table.to_csv(path, index=False)
        else:
            getattr(table, f"to_{kind}")(path)
        with pytest.raises(
            MarketError,
            match=rf"BTCUSDT-1h\.{kind} has no column 'volume', only timestamp, open, "
            "high, low, close; rename",
        ):
            CandleFolder(folder=str(tmp_path)).read(BTC)

    def test_a_missing_column_is_found_before_any_row_is_read(
        self, tmp_path, candles_at
    ):
        # The first file breaks only when its rows are read, the second at its head.
        late = candles_at(range(3)).astype({"timestamp": "str"})
        late.assign(timestamp="soon").to_csv(tmp_path / "BTCUSDT-1h.csv", index=False)
        (tmp_path / "ETHUSDT-1h.csv").write_text("timestamp,open\n1,2\n")
        with pytest.raises(MarketError, match=r"ETHUSDT-1h\.csv has no column 'high'"):
            CandleFolder(folder=str(tmp_path)).read(Universe(assets=["BTC", "ETH"]))

    @pytest.mark.parametrize("stamp", ["soon", ""])
    def test_a_stamp_that_cannot_be_read(self, tmp_path, candles_at, stamp):
        path = tmp_path / "BTCUSDT-1h.csv"
        table = candles_at(range(2)).astype({"timestamp": "str"})
        table.assign(timestamp=["2023-01-01", stamp]).to_csv(path, index=False)
        with pytest.raises(
            MarketError, match=r"a stamp in column 'timestamp' that can"
        ):
            CandleFolder(folder=str(tmp_path)).read(BTC)

    @pytest.mark.parametrize("kind", ["parquet", "feather", "zip"])
    def test_a_broken_file(self, tmp_path, kind):
        (tmp_path / f"BTCUSDT-1h.{kind}").write_bytes(b"half a file")
        with pytest.raises(
            MarketError, match=rf"1h\.{kind} cannot be read .* fetch it"
        ):
            CandleFolder(folder=str(tmp_path)).read(BTC)

    def test_two_files_with_the_same_candles(self, tmp_path, candles_at):
        write_parquet(tmp_path, candles_at(range(3)))
        write_freqtrade(tmp_path, candles_at(range(3)))
        with pytest.raises(
            MarketError, match=r"BTCUSDT-1h\.parquet and BTC_USDT-1h\.f"
        ):
            CandleFolder(folder=str(tmp_path)).read(BTC)

    def test_a_dominance_file_without_a_column(self, tmp_path, candles_at):
        write_parquet(tmp_path, candles_at(range(3)))
        path = tmp_path / "dominance-1d.parquet"
        Dominance.empty().drop(columns="available_at").to_parquet(path)
        with pytest.raises(MarketError, match="has no column 'available_at', only"):
            CandleFolder(folder=str(tmp_path)).read(BTC)
