import json

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.reports.forecast_page import JudgedForecasters
from fleet_kedro.reports.forecast_summary import summarise_forecasters

JUDGED = JudgedForecasters(
    telemetry=pd.DataFrame(
        {
            "asset": ["BTC", "BTC"],
            "model": ["lstm", "zero"],
            "horizon": np.array([1, 1], dtype=np.int64),
            "rmse": [0.004, 0.0041],
            "dm_p_value": [0.25, np.nan],
        }
    ),
    production=pd.DataFrame(
        {"horizon": [1], "weight_lstm": [0.25], "weight_zero": [0.75], "asset": ["BTC"]}
    ),
    sizes=pd.DataFrame(
        {
            "asset": ["BTC", "ETH"],
            "model": ["lstm", "lstm"],
            "n_parameters": [10, 20],
            "n_bytes": np.array([300, 500], dtype=np.int64),
        }
    ),
    source="drawn for a test",
)


@pytest.fixture
def told():
    return summarise_forecasters(JUDGED)


def test_every_table_is_there_row_by_row(told):
    assert told["source"] == "drawn for a test"
    assert told["scores"][0] == {
        "asset": "BTC",
        "model": "lstm",
        "horizon": 1,
        "rmse": 0.004,
        "dm_p_value": 0.25,
    }
    assert told["production"] == [
        {"horizon": 1, "weight_lstm": 0.25, "weight_zero": 0.75, "asset": "BTC"}
    ]
    assert [row["n_parameters"] for row in told["models"]] == [10, 20]


def test_the_store_is_the_sum_of_its_models(told):
    assert told["store"] == {"models": 2, "n_bytes": 800}


def test_it_is_json_and_what_is_not_known_is_null(told):
    written = json.dumps(told, allow_nan=False)

    assert json.loads(written) == told
    assert told["scores"][1]["dm_p_value"] is None
