"""Versions and stages in scratch repositories, as tags that GTO and git show."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from gto import api

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.registry import ModelRegistry, Promotion, Rollback
from fleet_kedro.store.tags import writing_tags

PROMOTE = """
import sys
from pathlib import Path
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.registry import ModelRegistry
from fleet_kedro.store.shelf import find_model

project = Path(sys.argv[1])
registry, found = ModelRegistry(project), find_model(project / "data", sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
try:
    print("promoted", registry.promote(found).version)
except StoreError as error:
    print("refused", error)
"""


@pytest.fixture
def registry(repository) -> ModelRegistry:
    return ModelRegistry(repository.folder)


class TestPromotion:
    def test_it_registers_and_assigns(self, repository, registry):
        done = registry.promote(repository.train())
        assert done == Promotion("v0.0.1", "prod", None, False, ())
        assert repository.tags() == ["btc-lstm#prod#1", "btc-lstm@v0.0.1"]
        (version,) = registry.versions("btc-lstm")
        assert version.stages == ("prod",)
        assert version.author == "Ada"
        assert version.commit == repository.git("rev-parse", "HEAD").strip()
        assert registry.in_stage("btc-lstm") == version

    def test_gto_itself_shows_the_same(self, repository, registry):
        registry.promote(repository.train_and_commit(1))
        registry.promote(repository.train_and_commit(2))
        shown = api.show(repository.folder, "btc-lstm", table=True)[0]
        assert [(row["version"], row["stage"]) for row in shown] == [
            ("v0.0.2", "prod"),
            ("v0.0.1", ""),
        ]

    def test_the_next_model_takes_its_place(self, repository, registry):
        registry.promote(repository.train_and_commit(1))
        done = registry.promote(repository.train_and_commit(2))
        assert (done.version, done.replaced) == ("v0.0.2", "v0.0.1")
        assert registry.in_stage("btc-lstm").version == "v0.0.2"

    def test_stages_and_models_do_not_disturb_each_other(self, repository, registry):
        registry.promote(repository.train("btc-lstm", 1), "staging")
        registry.promote(repository.train("eth-lstm", 1))
        assert registry.names() == ["btc-lstm", "eth-lstm"]
        assert registry.in_stage("btc-lstm", "staging").version == "v0.0.1"
        assert registry.in_stage("btc-lstm") is None
        assert registry.in_stage("eth-lstm").version == "v0.0.1"

    def test_the_same_model_is_no_new_version_on_a_later_commit(
        self, repository, registry
    ):
        found = repository.train_and_commit(1)
        registry.promote(found, "staging")
        repository.commit("say something else")
        registry.promote(found)
        (version,) = registry.versions("btc-lstm")
        assert version.stages == ("prod", "staging")

    def test_the_tag_remembers_what_a_list_tells(self, repository, registry):
        found = repository.train()
        registry.promote(found)
        record = registry.versions("btc-lstm")[0].record
        assert record.digest == found.model.digest
        assert record.folder == "data/06_models/btc-lstm"
        assert record.verdict == "pass"
        assert record.metrics == ("rmse_1h 0.36 % (zero forecast 0.37 %)",)
        assert record.size_bytes == found.model.card.size_bytes

    def test_promotion_leaves_the_files_alone(self, repository, registry):
        found = repository.train()
        before = {p.name: p.read_bytes() for p in found.folder.iterdir()}
        registry.promote(found)
        assert {p.name: p.read_bytes() for p in found.folder.iterdir()} == before
        assert repository.git("status", "--short", "--", "data").strip() == "?? data/"


class TestRefusals:
    @pytest.mark.parametrize(
        ("card", "reasons"),
        [
            ({"passed": False}, ["the verdict fails: RMSE below the zero forecast's"]),
            ({"verdict": None, "trials": None}, ["no verdict", "trials was not coun"]),
            ({"metrics": (), "folds": 0}, ["no metrics", "no scored folds"]),
        ],
    )
    def test_without_a_pass_or_a_complete_card_it_says_why(
        self, repository, registry, card, reasons
    ):
        with pytest.raises(StoreError, match="not promoted") as caught:
            registry.promote(repository.train(**card))
        assert all(reason in str(caught.value) for reason in reasons)
        assert "--override" in str(caught.value)
        assert repository.tags() == []

    def test_an_override_is_kept_in_the_tag(self, repository, registry):
        found = repository.train(passed=False)
        done = registry.promote(found, override="paper\ntrading only")
        told = ("the verdict fails: RMSE below the zero forecast's",)
        assert done.objections == told
        message = repository.message("btc-lstm#prod#1")
        assert message.startswith("Promote btc-lstm v0.0.1 to prod\n")
        assert "\nOverridden: paper trading only\n" in message
        record = json.loads(message.strip().splitlines()[-1])
        assert record["override"] == "paper trading only"
        assert record["objections"] == list(told)
        assert record["verdict"] == "fail"

    def test_an_override_without_a_reason_is_none(self, repository, registry):
        with pytest.raises(StoreError, match="needs a reason"):
            registry.promote(repository.train(passed=False), override=" ")
        assert repository.tags() == []

    def test_what_serves_already_is_not_promoted_again(self, repository, registry):
        found = repository.train()
        registry.promote(found)
        with pytest.raises(StoreError, match=r"v0\.0\.1 is in prod already"):
            registry.promote(found)
        assert len(repository.tags()) == 2

    def test_two_models_of_one_commit_are_refused(self, repository, registry):
        registry.promote(repository.train(number=1))
        with pytest.raises(StoreError, match=r"Commit the new dvc\.lock first"):
            registry.promote(repository.train(number=2))

    def test_a_stage_that_git_does_not_take_is_refused(self, repository, registry):
        found = repository.train()
        with pytest.raises(StoreError, match="can be no stage"):
            registry.promote(found, "my stage!")
        (repository.folder / ".gto").write_text("stages: [staging, prod]")
        with pytest.raises(StoreError, match=r"\.gto lists staging, prod"):
            registry.promote(found, "production")
        assert repository.tags() == []

    def test_a_store_outside_of_the_project_is_refused(self, repository, tmp_path):
        found = repository.train()
        (tmp_path / "other").mkdir()
        registry = ModelRegistry(repository.folder)
        elsewhere = found._replace(folder=tmp_path / "other")
        with pytest.raises(StoreError, match="lies outside of"):
            registry.promote(elsewhere)

    def test_a_folder_in_no_repository_is_told(self, tmp_path):
        with pytest.raises(StoreError, match="no git repository"):
            ModelRegistry(tmp_path).versions("btc-lstm")

    def test_a_repository_without_a_commit_is_told(self, repository):
        found = repository.train()
        repository.git("update-ref", "-d", "HEAD")
        with pytest.raises(StoreError, match="HEAD"):
            ModelRegistry(repository.folder).promote(found)

    def test_a_clock_that_went_back_is_told(self, repository, registry, monkeypatch):
        registry.promote(repository.train_and_commit(1))
        tag = "btc-lstm#prod#2"
        monkeypatch.setenv("GIT_COMMITTER_DATE", "2090-01-01T00:00:00Z")
        repository.git("tag", "--annotate", "--message", "from the future", tag)
        monkeypatch.delenv("GIT_COMMITTER_DATE")
        with pytest.raises(StoreError, match="Set this machine's clock"):
            registry.promote(repository.train_and_commit(2))


class TestRollback:
    def test_it_goes_back_version_by_version(self, repository, registry):
        for number in (1, 2, 3):
            registry.promote(repository.train_and_commit(number))
        before = repository.tags()
        assert registry.rollback("btc-lstm") == Rollback("v0.0.2", "v0.0.3")
        assert registry.rollback("btc-lstm") == Rollback("v0.0.1", "v0.0.2")
        assert registry.in_stage("btc-lstm").version == "v0.0.1"
        with pytest.raises(StoreError, match="nothing to go back to"):
            registry.rollback("btc-lstm")
        assert set(before) < set(repository.tags())  # nothing is deleted
        message = repository.message("btc-lstm#prod#5")
        assert message.startswith("Roll btc-lstm back to v0.0.1 in prod, from v0.0.2")

    @pytest.mark.slow
    def test_a_promotion_after_it_goes_on_from_there(self, repository, registry):
        for number in (1, 2):
            registry.promote(repository.train_and_commit(number))
        registry.rollback("btc-lstm")
        registry.promote(repository.train_and_commit(3))
        assert registry.in_stage("btc-lstm").version == "v0.0.3"
        assert registry.rollback("btc-lstm") == Rollback("v0.0.1", "v0.0.3")

    def test_tags_made_by_hand_count(self, repository, registry):
        for number in (1, 2):
            repository.commit(f"{number}")
            time.sleep(1)  # GTO orders what happened in one second by chance
            api.register(repository.folder, "btc-lstm", "HEAD")
            api.assign(repository.folder, "btc-lstm", "prod", version=f"v0.0.{number}")
        assert registry.versions("btc-lstm")[1].record is None
        assert registry.rollback("btc-lstm") == Rollback("v0.0.1", "v0.0.2")
        assert registry.in_stage("btc-lstm").version == "v0.0.1"

    def test_a_model_that_never_served_is_told(self, registry):
        with pytest.raises(StoreError, match="No version of btc-lstm is in prod"):
            registry.rollback("btc-lstm")


class TestAtTheSameTime:
    def test_of_two_promotions_one_wins_and_the_other_is_told(self, repository):
        repository.train()
        processes = [
            subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", PROMOTE, repository.folder, "btc-lstm"],
                env=os.environ | {"PYTHONWARNINGS": "error"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        told = sorted(
            process.communicate(timeout=60)[0].strip() for process in processes
        )
        assert told[0] == "promoted v0.0.1"
        assert told[1].startswith("refused btc-lstm v0.0.1 is in prod already")
        assert repository.tags() == ["btc-lstm#prod#1", "btc-lstm@v0.0.1"]

    def test_promotions_of_several_models_all_count(self, repository, registry):
        names = [f"{asset}-lstm" for asset in ("btc", "eth", "sol", "ada")]
        found = [repository.train(name) for name in names]
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(registry.promote, found))
        assert [each.version for each in done] == ["v0.0.1"] * 4
        assert all(registry.in_stage(name) is not None for name in names)

    def test_a_linked_working_tree_shares_the_lock(self, repository, tmp_path):
        tree = tmp_path / "tree"
        repository.git("worktree", "add", "--quiet", str(tree))
        with writing_tags(tree):
            pass
        assert (repository.folder / ".git/model-registry.lock").exists()
