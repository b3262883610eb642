"""Stages of small pipelines that are made here, of functions that the project has."""

from functools import partial
from pathlib import Path

import pytest
import yaml
from kedro.pipeline import Pipeline, node

import fleet_kedro
from fleet_kedro.lineage.catalog import Catalog
from fleet_kedro.lineage.code import Code
from fleet_kedro.lineage.document import render
from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.parameters import Parameters
from fleet_kedro.lineage.stages import Named, Project, project_stages
from fleet_kedro.market.stamps import read_stamps
from fleet_kedro.reports.units import percent

CODE = Code("fleet_kedro", Path(fleet_kedro.__path__[0]))
PARAMETERS = Parameters({"base/parameters.yml": {"tuning": {"rank": 0.8}}}, {})
MODULE = "fleet_kedro.market.moment"


def at(place: str, **said: object) -> dict[str, object]:
    entry = {"type": "json.JSONDataset", "filepath": place}
    return entry | ({"metadata": {"dvc": said}} if said else {})


CATALOG = {
    "raw": at("data/raw.json"),
    "seen": at("data/seen.jsonl", persist=True, desc="kept")
    | {"type": "fleet_kedro.pipelines.ledger_file.LedgerFile"},
    "clean": at("data/clean.json"),
    "journal": at("data/journal.log", track=False),
    "moments": at("data/moments.json") | {"versioned": True},
    "score": at("results/score.json", metric=True, cache=False),
    "curve": at(
        "results/curve.csv",
        cache=False,
        plots=[{"title": "Curve", "x": "day", "y": ["a", "b"], "y_label": "worth"}],
    ),
    "{asset}_{kind}_model": at(
        "data/models/{asset}/{kind}",
        persist=True,
        model={"name": "{asset}-{kind}", "desc": "for {asset}", "labels": ["x"]},
    ),
}


def catalog(**changed):
    entries = CATALOG | changed
    entries = {name: entry for name, entry in entries.items() if entry is not None}
    return Catalog(entries, {"base/catalog.yml": entries})


def named(nodes, desc="What it does"):
    return Named(Pipeline(nodes), MODULE, desc)


MADE = {
    "later": named(
        [
            node(percent, ["clean", "params:tuning"], "score", name="a"),
            node(partial(percent), ["score", "journal"], "in_memory", name="b"),
            node(read_stamps, "in_memory", "BTC_lstm_model", name="c"),
            node(read_stamps, "raw", "ETH_trees_model", name="d"),
        ]
    ),
    "first": named(
        [
            node(read_stamps, "raw", "clean", name="e"),
            node(percent, ["clean", "raw"], ["seen", "journal"], name="f"),
        ]
    ),
    "beside": named([node(read_stamps, "clean", "curve", name="g")]),
    "signals": named([node(read_stamps, "BTC_lstm_model", "moments", name="h")]),
}
MADE["all"] = named([*MADE["first"].pipeline.nodes, *MADE["later"].pipeline.nodes])


def stages(made=MADE, **changed):
    found = project_stages(made, Project(catalog(**changed), PARAMETERS, CODE))
    return {stage.name: stage for stage in found}


class TestKnownValues:
    def test_they_are_the_pipelines_that_leave_something_behind_one_another(self):
        """One made of others is none, and none whose results belong to a moment."""
        assert list(stages()) == ["first", "beside", "later"]

    def test_a_stage_reads_what_its_pipeline_starts_from(self):
        found = stages()

        assert found["first"].reads == ("data/raw.json",)
        assert found["later"].reads == ("data/clean.json", "data/raw.json")

    def test_a_stage_leaves_all_that_it_keeps_and_a_pattern_one_folder(self):
        outs = {
            name: [out.path for out in stage.outs] for name, stage in stages().items()
        }

        assert outs == {
            "first": ["data/clean.json", "data/seen.jsonl"],
            "beside": ["results/curve.csv"],
            "later": ["data/models", "results/score.json"],
        }

    def test_it_depends_on_code_datasets_catalog_and_libraries(self):
        code = stages()["first"].code

        assert {"conf/base/catalog.yml", "constraints.txt"} <= set(code)
        for module in ("market/stamps", "market/moment", "reports/units"):
            assert f"src/fleet_kedro/{module}.py" in code
        assert "src/fleet_kedro/pipelines/ledger_file.py" in code
        assert "src/fleet_kedro/pipelines/ledger_file.py" not in stages()["later"].code
        # a partial hides its function from nobody
        assert "src/fleet_kedro/reports/units.py" in stages()["later"].code

    def test_what_the_last_run_has_left_is_no_dependency(self):
        made = {
            "first": named([node(percent, ["raw", "earlier"], "seen", name="a")]),
        }

        (first,) = stages(made, earlier=at("data/seen.jsonl")).values()
        assert first.reads == ("data/raw.json",)
        assert [out.path for out in first.outs] == ["data/seen.jsonl"]


class TestDocument:
    @pytest.fixture
    def document(self):
        return yaml.safe_load(render(list(stages().values())))

    def test_a_stage_says_what_runs(self, document):
        assert document["stages"]["later"]["cmd"] == (
            ".venv/bin/kedro run --env base --pipelines later"
        )
        assert document["stages"]["later"]["desc"] == "What it does"
        assert document["stages"]["later"]["params"] == [
            {"conf/base/parameters.yml": ["tuning"]}
        ]
        assert "params" not in document["stages"]["first"]

    def test_outs_say_what_is_special_about_them(self, document):
        assert document["stages"]["first"]["outs"] == [
            "data/clean.json",
            {"data/seen.jsonl": {"desc": "kept", "persist": True}},
        ]
        assert document["stages"]["later"]["outs"] == [
            {"data/models": {"persist": True}}
        ]
        assert document["stages"]["later"]["metrics"] == [
            {"results/score.json": {"cache": False}}
        ]

    def test_models_have_their_places_and_the_names_of_their_cards(self, document):
        assert document["artifacts"] == {
            f"{asset.lower()}-{kind}": {
                "path": f"data/models/{asset}/{kind}",
                "type": "model",
                "desc": f"for {asset}",
                "labels": ["x"],
            }
            for asset, kind in (("BTC", "lstm"), ("ETH", "trees"))
        }

    def test_plots_say_what_is_drawn(self, document):
        assert document["plots"] == [
            {
                "Curve": {
                    "template": "linear",
                    "x": "day",
                    "y": {"results/curve.csv": ["a", "b"]},
                    "y_label": "worth",
                }
            }
        ]


class TestErrors:
    def test_what_is_in_no_file_cannot_be_read_by_a_stage(self):
        for entry in (None, {"type": "MemoryDataset"}):
            with pytest.raises(LineageError, match=r"'first' reads 'raw', .* no file"):
                stages(raw=entry)

    def test_two_stages_cannot_leave_one_place(self):
        with pytest.raises(LineageError, match=r"leaves results.* no place twice"):
            stages(curve=at("results"))

    def test_stages_cannot_wait_for_one_another(self):
        made = {
            "egg": named([node(read_stamps, "clean", "score", name="a")]),
            "hen": named([node(read_stamps, "score", "clean", name="b")]),
        }

        with pytest.raises(LineageError, match=r"wait for one another: \w+ <- \w+ <-"):
            stages(made)

    def test_entries_of_one_folder_cannot_contradict_one_another(self):
        other = {"{asset}_trees_model": at("data/models/{asset}/trees")}

        with pytest.raises(LineageError, match=r"in data/models say different things"):
            stages(**other)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"presist": True}, r"'curve' says metadata\.dvc\.presist"),
            ({"cache": "no"}, r"'curve' says metadata\.dvc\.cache: 'no'"),
            ({"plots": [{"title": "x", "x": "a", "y": []}]}, r"dvc\.plots\.0\.y"),
        ],
    )
    def test_what_an_entry_cannot_say_is_named(self, said, told):
        with pytest.raises(LineageError, match=told):
            stages(curve=at("results/curve.csv", **said))
