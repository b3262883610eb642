import pandas as pd
import pytest

from fleet_kedro.reports.units import basis_points, percent, points
from fleet_kedro.reports.verification import verification_lines
from fleet_kedro.validation.telemetry import Telemetry
from fleet_kedro.validation.verdict import Criterion, Verdict

PASSED = Criterion(
    "Mean precision above 55 %", 0.573, 0.55, "percent", True, "base rate 44.0%"
)
FAILED = Criterion(
    "Every asset profitable", -0.0012, 0.0, "basis points", False, "1 of 2 assets"
)


@pytest.fixture
def telemetry() -> Telemetry:
    asset = {
        "asset": "BTC",
        "rows": 2000,
        "base_rate": 0.44,
        "signals": 250,
        "precision": 0.573,
        "recall": 0.163,
        "lift": 0.133,
        "net_return": 0.00123,
        "volatility_precision": 0.48,
        "lift_over_volatility": 0.093,
        "lift_over_volatility_low": -0.01,
        "lift_over_volatility_high": 0.2,
        "net_return_low": -0.0004,
        "net_return_high": 0.003,
    }
    silent = dict.fromkeys(asset, float("nan")) | {
        "asset": "ETH",
        "rows": 1000,
        "base_rate": 0.4,
        "signals": 0,
        "recall": 0.0,
    }
    rival = {
        "name": "brain",
        "signals": 250,
        "precision": 0.573,
        "recall": 0.163,
        "lift": 0.133,
        "net_return": 0.00123,
        "log_loss": 0.68,
        "auc": 0.526,
    }
    always = rival | {"name": "always long", "log_loss": None, "auc": None}
    overall = {name: asset[name] for name in asset if name not in ("asset", "rows")}
    nothing = pd.DataFrame()
    return Telemetry(
        folds=nothing,
        assets=pd.DataFrame([asset, silent]),
        fold_assets=nothing,
        rivals=pd.DataFrame([rival, always]).astype({"log_loss": float, "auc": float}),
        gate=nothing,
        gate_regimes=nothing,
        overall=pd.Series(overall).drop("signals"),
    )


class TestKnownValues:
    def test_every_line_of_a_small_validation(self, telemetry):
        assert verification_lines(telemetry, Verdict((PASSED, FAILED))) == [
            "",
            "PER-ASSET PERFORMANCE (out of sample, all folds; lift in points, net in"
            " bp)",
            "Asset        Rows  Signals   Base   Prec    Rec   Lift  Vol. only"
            "  Over vol. [interval]       Net [interval]",
            "BTC         2,000      250  44.0%  57.3%  16.3%  +13.3      48.0%"
            "    +9.3 [-1.0, +20.0]  +12.3 [-4.0, +30.0]",
            "ETH         1,000        0  40.0%    n/a   0.0%    n/a        n/a"
            "                   n/a                  n/a",
            "Mean (sum)  3,000      250  44.0%  57.3%  16.3%  +13.3      48.0%"
            "    +9.3 [-1.0, +20.0]  +12.3 [-4.0, +30.0]",
            "",
            "THE BRAIN AND ITS RIVALS (means over the assets; AUC and log-loss over"
            " rows)",
            "Name         Signals   Prec    Rec   Lift  Net, bp    AUC  Log-loss",
            "brain            250  57.3%  16.3%  +13.3    +12.3  0.526    0.6800",
            "always long      250  57.3%  16.3%  +13.3    +12.3    n/a       n/a",
            "",
            "GLOBAL FLEET VERIFICATION",
            "✓ Mean precision above 55 %: 57.3% (bound 55.0%; base rate 44.0%)",
            "✗ Every asset profitable: -12.0 bp (bound +0.0 bp; 1 of 2 assets)",
            "",
            "GLOBAL FLEET VALIDATION: FAIL. 1 of 2 criteria is not met on this window; "
            "the brain must not be promoted.",
        ]


class TestVerdict:
    def test_a_pass_says_what_it_holds_for(self, telemetry):
        last = verification_lines(telemetry, Verdict((PASSED, PASSED)))[-1]

        assert last == (
            "GLOBAL FLEET VALIDATION: PASS. All 2 criteria are met out of sample, "
            "after costs, on this window; the brain may be promoted."
        )

    def test_a_fail_uses_no_word_of_success(self, telemetry):
        text = "\n".join(verification_lines(telemetry, Verdict((FAILED, FAILED))))

        assert "2 of 2 criteria are not met" in text
        for word in ("PASS", "success", "SUCCESS", "may be promoted", "✓"):
            assert word not in text


class TestMeasured:
    def test_every_asset_shows_its_measured_numbers(self, validated):
        lines = verification_lines(validated.telemetry, validated.verdict)
        by_name = {line.split()[0]: line for line in lines if line}

        assert len(validated.telemetry.assets) == 3
        for row in validated.telemetry.assets.to_dict(orient="records"):
            shown = by_name[row["asset"]].split()
            assert shown[3:7] == [
                percent(row["base_rate"]),
                percent(row["precision"]),
                percent(row["recall"]),
                points(row["lift"]),
            ]
            assert basis_points(row["net_return"]) in shown

    def test_without_a_signal_nothing_is_claimed(self, without_signals):
        lines = verification_lines(without_signals.telemetry, without_signals.verdict)

        assert "n/a" in next(line for line in lines if line.startswith("BTC "))
        assert lines[-1].startswith("GLOBAL FLEET VALIDATION: FAIL.")
        assert not any("nan" in line for line in lines)
