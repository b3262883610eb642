"""What a user may get wrong is told in one sentence, before any work."""

import pandas as pd
import pytest

INGEST = ("run", "--pipelines", "ingestion")


@pytest.fixture(scope="module")
def project(make_project):
    return make_project()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty days of two assets, as Parquet files."""
    folder = tmp_path_factory.mktemp("market")
    hours = pd.date_range("2023-01-01", periods=60 * 24, freq="h", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close"), 10.0)
    candles = pd.DataFrame({"timestamp": hours, **prices, "volume": 1.0})
    for symbol in ("BTCUSDT", "ETHUSDT"):
        candles.to_parquet(folder / f"{symbol}-1h.parquet")
    return folder


def refuse(project, *arguments, environ=None) -> str:
    """Run what cannot work; return the sentence that is all that is said about it."""
    refused = project.kedro(*arguments, environ=environ)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert project.outputs() == {}
    assert refused.stderr.startswith("Error: ")
    assert refused.stderr.count("\n") == 1, refused.stderr
    return refused.stderr.removeprefix("Error: ").rstrip("\n")


class TestNames:
    def test_a_parameter_that_nothing_reads(self, project):
        said = refuse(project, "run", "--params", "fold=3")

        assert said == "There is no parameter 'fold'; did you mean 'folds'?"

    def test_a_parameter_inside_a_block(self, project):
        said = refuse(project, *INGEST, "--params", "window.day=3")

        assert said == "There is no parameter 'window.day'; did you mean 'days'?"

    @pytest.mark.parametrize("option", ["--pipeline", "--pipelines"])
    def test_a_pipeline(self, project, option):
        said = refuse(project, "run", option, "global_validator")

        assert said == (
            "There is no pipeline 'global_validator'; did you mean 'global_validation'?"
        )

    def test_an_environment(self, project):
        said = refuse(project, "run", "--env", "cloud")

        assert said == (
            "There is no environment 'cloud'; there are base, exchange, files, local, "
            "null, smoke."
        )


class TestValues:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (
                "days=abc",
                "The parameter 'window.days' cannot be 'abc': it should be a valid "
                "integer.",
            ),
            (
                "days=0",
                "The parameter 'window.days' cannot be 0: it should be greater than "
                "or equal to 1.",
            ),
            (
                "end=2023-13-01",
                "The parameter 'window.end': '2023-13-01' is no moment in UTC; write "
                "it like 2023-12-31T23:00.",
            ),
        ],
    )
    def test_of_the_window(self, project, given, said):
        assert refuse(project, *INGEST, "--params", given) == said

    def test_of_the_folds(self, project):
        said = refuse(project, "run", "--params", "folds=0")

        assert said == (
            "The parameter 'walk_forward.folds' cannot be 0: it should be greater than "
            "or equal to 1."
        )

    def test_that_do_not_go_together(self, project):
        said = refuse(project, "run", "--env", "smoke", "--params", "folds=5,days=14")

        assert said.startswith("days=14 is too short for folds=5: ")
        assert said.endswith("choose days >= 55 or fewer folds.")

    def test_two_ages_at_which_a_late_listing_joins(self, project):
        said = refuse(project, "run", "--params", "window.min_history_days=90")

        assert said.startswith("window.min_history_days=90 and walk_forward.min_")
        assert said.endswith("as min_history_days in globals.yml does, or null.")

    @pytest.mark.parametrize("which", ["global_validation", "validation"])
    def test_a_baseline_asset_outside_the_universe(self, make_project, which):
        project = make_project()
        path = project.folder / "conf/smoke/globals.yml"
        text = path.read_text(encoding="utf-8")
        assert "assets: [BTC, ETH]" in text
        path.write_text(text.replace("[BTC, ETH]", "[ETH, SOL]"), encoding="utf-8")
        said = refuse(project, "run", "--pipelines", which, "--env", "smoke")

        assert said == (
            "report.baseline_asset='BTC' is none of the universe's assets; choose one "
            "of ETH, SOL."
        )

    def test_a_window_longer_than_the_data(self, project):
        said = refuse(project, *INGEST, "--env", "smoke", "--params", "days=9999")

        assert "(9999 days) is not covered by any asset: the candles run from" in said
        assert "choose days <= 1826 or another end" in said


class TestFiles:
    def test_a_folder_that_is_not_set(self, project):
        said = refuse(project, *INGEST, "--env", "files")

        assert said == "The folder of candles is not set; set FLEET_MARKET_DIR to it."

    def test_a_folder_that_is_not_there(self, project):
        environ = {"FLEET_MARKET_DIR": "/no/such/folder"}
        said = refuse(project, *INGEST, "--env", "files", environ=environ)

        assert said == (
            "The folder of candles '/no/such/folder' does not exist; set "
            "FLEET_MARKET_DIR to a folder with candle files."
        )

    def test_an_unknown_asset(self, make_project, folder):
        project = make_project()
        project.configure("files/globals.yml", "assets: [BTC, DOGE]\ndays: 30\n")
        environ = {"FLEET_MARKET_DIR": str(folder)}
        said = refuse(project, *INGEST, "--env", "files", environ=environ)

        assert said.startswith("The asset 'DOGE' is unknown: ")
        assert "only of BTCUSDT, ETHUSDT." in said
        assert said.endswith("Correct the universe's assets or add the file.")

    def test_a_file_without_a_column(self, make_project, folder, tmp_path):
        candles = pd.read_parquet(folder / "BTCUSDT-1h.parquet")
        candles.to_parquet(tmp_path / "BTCUSDT-1h.parquet")
        candles.drop(columns="volume").to_csv(tmp_path / "ETHUSDT-1h.csv", index=False)
        project = make_project()
        project.configure("files/globals.yml", "assets: [BTC, ETH]\ndays: 30\n")
        environ = {"FLEET_MARKET_DIR": str(tmp_path)}
        said = refuse(project, *INGEST, "--env", "files", environ=environ)

        assert said.startswith(f"{tmp_path}/ETHUSDT-1h.csv has no column 'volume', ")
        assert "rename its columns to timestamp, open, high, low, close, volume" in said

    def test_an_asset_without_a_sound_candle(self, make_project, folder, tmp_path):
        candles = pd.read_parquet(folder / "BTCUSDT-1h.parquet")
        candles.to_parquet(tmp_path / "BTCUSDT-1h.parquet")
        candles.assign(close=0.0).to_parquet(tmp_path / "ETHUSDT-1h.parquet")
        # Without this file a line would be said about it first.
        day = candles["timestamp"].iloc[:1]
        pd.DataFrame(
            {
                "timestamp": day,
                "series": "BTC.D",
                "dominance_pct": 48.5,
                "source": "one",
                "available_at": day,
            }
        ).to_parquet(tmp_path / "dominance-1d.parquet")
        project = make_project()
        project.configure("files/globals.yml", "assets: [BTC, ETH]\ndays: 30\n")
        environ = {"FLEET_MARKET_DIR": str(tmp_path)}
        said = refuse(project, *INGEST, "--env", "files", environ=environ)

        assert said == (
            "ETH has no sound candle: 1440 rows are no candles and 0 lie off the hour; "
            "correct its file or leave it out."
        )


def test_help_names_the_parameters_that_users_give(project):
    helped = project.kedro("run", "--help")

    assert helped.returncode == 0
    assert "--pipelines TEXT" in helped.stdout
    for given in ("folds=5", "days=730", "end=2023-12-31T23:00", "FLEET_MARKET_DIR"):
        assert given in helped.stdout


def test_a_fault_of_the_code_keeps_its_traceback(project):
    """Data that an earlier pipeline has not left is no mistake in a parameter."""
    failed = project.kedro("run", "--pipelines", "feature_engineering")

    assert failed.returncode == 1
    assert "Traceback (most recent call last)" in failed.stderr
    assert "DatasetError" in failed.stderr
