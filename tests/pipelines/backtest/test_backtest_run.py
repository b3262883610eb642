"""The backtest of a walk, through the command line."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError
from plotly.offline import get_plotlyjs

from fleet_kedro.pipelines.ensemble_walks import EnsembleWalks
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.nested_thresholds import mark

COMMAND = ["run", "--pipelines", "backtest", "--env", "smoke"]
OWN = ("BTC", "ETH")
HORIZON = 12
FOLD_HOURS = 480
WARMUP_HOURS = 720
FIGURES = ("accounts", "drawdown", "months", "exposure")
TABLES = ("ladder", "performance", "thresholds", "trades")
OUTPUTS = sorted(
    [
        "backtest.html",
        "backtest.json",
        *(f"backtest_{name}.json" for name in FIGURES),
        *(f"backtest_{name}.parquet" for name in TABLES),
        *("results/backtest.json", "results/equity.csv"),
    ]
)
STEPS = [
    *("BTC only", "BTC + ETH", "with dominance", "with stops and targets"),
    "Fleet of 2",
]
ACCOUNTS = [
    *("Fleet of 2", "Equal weight", "Same, hours shuffled", "Cash"),
    *("BTC held", "ETH held"),
]


def draw_candles(asset: str) -> pd.DataFrame:
    """A random walk of three folds, with time to warm up before and to end after."""
    n_hours = WARMUP_HOURS + 3 * FOLD_HOURS + HORIZON + 1
    clock = pd.date_range("2023-01-01", periods=n_hours, freq="h", tz="UTC", unit="us")
    rng = np.random.default_rng(OWN.index(asset))
    close = 100 * np.exp(np.cumsum(0.006 * rng.standard_normal(n_hours)))
    open_ = np.append(100.0, close[:-1])
    return pd.DataFrame(
        {
            "timestamp": clock,
            "open": open_,
            "high": np.maximum(open_, close) * 1.003,
            "low": np.minimum(open_, close) * 0.997,
            "close": close,
            "volume": 1.0,
            "asset": asset,
            "symbol": f"{asset}USDT",
            "is_filled": False,
            "segment": np.int32(0),
        }
    )


def draw_forecasts(skill: float) -> pd.DataFrame:
    """Three folds that know a little of what comes, or much."""
    rng = np.random.default_rng(6)
    rows = np.arange(WARMUP_HOURS, WARMUP_HOURS + 3 * FOLD_HOURS)
    own = []
    for asset in OWN:
        candles = draw_candles(asset)
        price = candles["open"].to_numpy()
        outcome = price[rows + 1 + HORIZON] / price[rows + 1] - 1
        score = skill * outcome / 0.02 + rng.normal(size=len(rows))
        own.append(
            pd.DataFrame(
                {
                    "timestamp": candles["timestamp"].iloc[rows],
                    "asset": asset,
                    "fold": np.repeat([1, 2, 3], FOLD_HOURS).astype(np.int8),
                    "forward_return": outcome,
                    "probability": 1 / (1 + np.exp(0.2 - 0.5 * score)),
                }
            )
        )
    return pd.concat(own).sort_values(["timestamp", "asset"], ignore_index=True)


def draw_dominance() -> pd.DataFrame:
    days = pd.date_range("2022-12-25", periods=110, freq="D", tz="UTC", unit="us")
    return pd.concat(
        pd.DataFrame(
            {
                "timestamp": days,
                "series": series,
                "dominance_pct": np.linspace(low, low + 2, len(days)),
                "source": "drawn",
                "available_at": days + pd.Timedelta(days=1),
            }
        )
        for series, low in (("BTC.D", 49.0), ("USDT.D", 3.5))
    )


def draw_ensemble(asset: str) -> pd.DataFrame:
    """The walk of an ensemble that forecasts the same at every hour."""
    candles = draw_candles(asset).iloc[WARMUP_HOURS:-30]
    noise = np.random.default_rng(3).normal(size=(2, len(candles)))
    return candles[["timestamp", "close"]].assign(
        forecast_1h=0.001 * noise[0],
        forward_log_return_1h=0.006 * noise[1],
        forecast_12h=0.02,
        low_12h=0.005,
        high_12h=0.035,
        forward_log_return_12h=0.02 * noise[1],
    )


def prepare(project, skill=0.5):
    """Leave what ingestion and validation leave."""
    data = project.folder / "data"
    for folder in ("01_raw", "02_intermediate/candles", "07_model_output"):
        (data / folder).mkdir(parents=True)
    for asset in OWN:
        path = data / f"02_intermediate/candles/{asset}.parquet"
        draw_candles(asset).to_parquet(path)
    draw_dominance().to_parquet(data / "01_raw/dominance.parquet")
    draw_forecasts(skill).to_parquet(data / "07_model_output/forecasts.parquet")
    window = data / "02_intermediate/fleet_window.json"
    window.write_text(json.dumps({"source": "drawn for a test"}))
    return project


def report_of(project, name: str) -> str:
    return (project.folder / "data/08_reporting" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(make_project):
    return prepare(make_project())


@pytest.fixture(scope="module")
def finished(project):
    done = project.kedro(*COMMAND)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def told(project, finished):
    assert finished.stdout
    return json.loads(report_of(project, "backtest.json"), parse_constant=pytest.fail)


def test_the_console_tells_of_accounts_and_steps_and_names_the_page(finished):
    lines = finished.stdout.splitlines()
    named = [line.rpartition("%")[0] for line in lines]

    assert "No ensemble was trained, so the brain forecasts alone." in lines
    for start in (*ACCOUNTS, *STEPS):
        assert any(line.startswith(start) for line in named), start
    assert lines[-1] == "Report: data/08_reporting/backtest.html"
    assert finished.stderr == ""


def test_it_leaves_these_files_and_no_other(project, finished):
    assert finished.returncode == 0
    left = [name for name in project.outputs() if name.startswith("08")]

    assert [name.removeprefix("08_reporting/") for name in left] == OUTPUTS


def test_steps_and_accounts_are_in_order(told):
    assert [step["step"] for step in told["ladder"]] == STEPS
    assert [account["name"] for account in told["accounts"]] == ACCOUNTS


def test_it_is_traded_from_the_second_fold_to_the_last_outcome(told):
    forecasts = draw_forecasts(0.5)
    second = forecasts.loc[forecasts["fold"] == 2, "timestamp"].min()
    end = draw_candles("BTC")["timestamp"].max() + pd.Timedelta(hours=1)

    assert pd.Timestamp(told["start"]) == second
    assert pd.Timestamp(told["end"]) == end
    assert told["source"] == "drawn for a test"


def test_without_a_tuning_default_thresholds_are_traded_and_told(finished, told):
    (alone,) = told["thresholds"]["compared"]

    assert told["signalling"]["threshold"]["tuned"]
    assert told["thresholds"]["used"] == alone["step"] == "Default thresholds"
    assert alone["sharpe"] == told["ladder"][-1]["sharpe"]
    assert "no return thresholds were tuned" in finished.stdout


def test_what_knows_something_trades_and_beats_its_shuffled_self(told):
    strategy = told["accounts"][0]

    assert strategy["trades"] > 20
    assert strategy["sharpe"] > max(told["shuffled_sharpes"])
    assert 0 < told["deflated_sharpe"] <= 1


def test_trials_are_the_ledgers_and_the_steps(told):
    """There is no ledger here, and nothing that was tried without one."""
    assert told["n_trials"] == len(STEPS)


def test_trades_agree_with_the_performance(project, told):
    path = project.folder / "data/08_reporting/backtest_trades.parquet"
    trades = pd.read_parquet(path)
    strategy = told["accounts"][0]

    assert len(trades) == strategy["trades"]
    assert (trades["pnl"] > 0).mean() == pytest.approx(strategy["win_rate"])
    assert {"stop", "signal"} <= set(trades["reason"])
    total = trades["pnl"].sum() / told["backtest"]["rules"]["capital"]
    assert total == pytest.approx(strategy["total_return"])


def test_neither_page_nor_figures_hold_a_number_that_is_none(project, told):
    assert told
    page = report_of(project, "backtest.html").replace(get_plotlyjs(), "")

    assert ">nan" not in page.lower()
    assert "NaN" not in page
    assert "Infinity" not in page
    for name in FIGURES:
        figure = json.loads(
            report_of(project, f"backtest_{name}.json"), parse_constant=pytest.fail
        )
        assert figure["data"]


@pytest.mark.slow
def test_an_oracle_is_refused_before_anything_is_traded(make_project):
    project = prepare(make_project(), skill=5.0)
    done = project.kedro(*COMMAND)

    assert done.returncode != 0
    assert "too good to be true" in done.stdout + done.stderr
    assert not [name for name in project.outputs() if name.startswith("08")]


@pytest.mark.slow
def test_ensembles_are_taken_in_where_they_were_trained(make_project, told):
    project = prepare(make_project())
    folder = project.folder / "data/07_model_output/forecasters/ETH"
    folder.mkdir(parents=True)
    draw_ensemble("ETH").to_parquet(folder / "ensemble.parquet")
    (folder / "lstm.parquet").write_bytes(b"of no interest")
    done = project.kedro(*COMMAND)
    with_ensemble = json.loads(report_of(project, "backtest.json"))

    assert done.returncode == 0, done.stderr
    assert "No ensemble" not in done.stdout
    # What ETH expects has changed, what BTC expects has not.
    assert with_ensemble["ladder"][0] == told["ladder"][0]
    assert with_ensemble["ladder"][1] != told["ladder"][1]


@pytest.mark.slow
def test_a_second_run_leaves_the_same_bytes(project, finished):
    assert finished.returncode == 0
    first = project.outputs()
    shutil.rmtree(project.folder / "data/08_reporting")
    again = project.kedro(*COMMAND)

    assert again.stdout == finished.stdout
    assert project.outputs() == first


@pytest.mark.slow
def test_thresholds_that_were_tuned_on_earlier_folds_are_traded(make_project, told):
    project = prepare(make_project())
    rules = SignalSettings.model_validate(told["signalling"])
    chosen = pd.DataFrame({"asset": ["BTC", "ETH"], "fold": 3, "factor": 2.0})
    left = project.folder / "data/07_model_output/return_thresholds.parquet"
    mark(chosen, draw_forecasts(0.5), rules).to_parquet(left)
    done = project.kedro(*COMMAND)
    own = json.loads(report_of(project, "backtest.json"))
    default, tuned = own["thresholds"]["compared"]

    assert done.returncode == 0, done.stderr
    assert own["thresholds"]["used"] == tuned["step"] == "Tuned thresholds"
    assert tuned["sharpe"] == own["ladder"][-1]["sharpe"] != default["sharpe"]
    assert default["sharpe"] == told["ladder"][-1]["sharpe"]
    # The thresholds that were not used were tried as well.
    assert own["n_trials"] == told["n_trials"] + 1


@pytest.mark.slow
def test_it_reads_what_a_validation_leaves(make_project):
    project = make_project()
    main = project.kedro("run", "--pipelines", "global_validation", "--env", "smoke")
    done = project.kedro(*COMMAND)

    assert main.returncode == 0
    assert done.returncode == 0, done.stderr
    told = json.loads(report_of(project, "backtest.json"), parse_constant=pytest.fail)
    assert [step["step"] for step in told["ladder"]] == STEPS
    # A ledger of the walk, and the steps of the ladder.
    assert told["n_trials"] > len(STEPS)


class TestEnsembleWalks:
    def test_nothing_was_trained(self, tmp_path):
        dataset = EnsembleWalks(path=str(tmp_path / "nowhere"))

        assert dataset.load() == {}
        assert not dataset.exists()

    def test_walks_are_read_by_asset_in_order(self, tmp_path):
        for asset in ("SOL", "BTC"):
            (tmp_path / asset).mkdir()
            draw_ensemble("BTC").to_parquet(tmp_path / asset / "ensemble.parquet")
        (tmp_path / "ETH").mkdir()
        dataset = EnsembleWalks(path=str(tmp_path))

        assert list(dataset.load()) == ["BTC", "SOL"]
        assert dataset.exists()
        pd.testing.assert_frame_equal(
            dataset.load()["SOL"].reset_index(drop=True),
            draw_ensemble("BTC").reset_index(drop=True),
        )

    def test_they_cannot_be_saved(self, tmp_path):
        with pytest.raises(DatasetError, match="only read here"):
            EnsembleWalks(path=str(tmp_path)).save({})
