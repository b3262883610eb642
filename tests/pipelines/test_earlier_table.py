"""A table of an earlier run, if there is one."""

import logging
import pickle

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError

from fleet_kedro.pipelines.earlier_table import EarlierTable

TABLE = pd.DataFrame({"fold": [1, 2], "forecast_1h": [0.25, float("nan")]})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "BTC" / "lstm.parquet"


@pytest.fixture
def catalog(path):
    return DataCatalog.from_config(
        {
            "earlier": {
                "type": "fleet_kedro.pipelines.earlier_table.EarlierTable",
                "filepath": str(path),
            },
            "own": {"type": "pandas.ParquetDataset", "filepath": str(path)},
        }
    )


def test_there_is_none_before_the_first_run(catalog):
    assert not catalog.exists("earlier")
    assert catalog.load("earlier") is None


def test_it_is_what_the_run_before_has_saved(catalog):
    catalog.save("own", TABLE)

    assert catalog.exists("earlier")
    pd.testing.assert_frame_equal(catalog.load("earlier"), TABLE)


def test_saving_what_was_loaded_changes_no_byte(catalog, path):
    catalog.save("own", TABLE)
    before = path.read_bytes()
    catalog.save("own", catalog.load("earlier"))

    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_half_a_table_is_none_and_that_is_logged(catalog, path, caplog, kept):
    catalog.save("own", TABLE)
    path.write_bytes(path.read_bytes()[:kept])
    with caplog.at_level(logging.WARNING):
        assert catalog.load("earlier") is None

    assert f"Not taken over: {path}" in caplog.text


def test_it_is_never_written(catalog, path):
    with pytest.raises(DatasetError, match="is only read here"):
        catalog.save("earlier", TABLE)

    assert not path.exists()


def test_it_goes_to_other_processes(catalog, path):
    catalog.save("own", TABLE)
    sent = pickle.loads(pickle.dumps(EarlierTable(filepath=str(path))))  # noqa: S301

    pd.testing.assert_frame_equal(sent.load(), TABLE)
