"""A host runs the orchestrations whose version it may, and leaves or fails the others."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.functions_host.host_json import load_host_json
from local.functions_host.settings import SettingsError
from local.functions_host.versions import MatchStrategy, VersionRule, compare_versions
from tests.local.functions_host.hosting import SAMPLES, HostProcess, Instance


@pytest.mark.parametrize(
    ("older", "newer"),
    [("", "1.0"), ("1.0", "1.1"), ("9.0", "10.0"), ("1.0", "1.0.0"), ("10", "9"), ("v1", "V2")],
)
def test_versions_are_ordered_as_the_extension_orders_them(older: str, newer: str) -> None:
    assert compare_versions(older, newer) < 0 < compare_versions(newer, older)
    assert compare_versions(older, older) == compare_versions("a", "A") == 0


@pytest.mark.parametrize(
    ("match", "admitted"),
    [("None", ["1.0", "2.0", "3.0"]), ("Strict", ["2.0"]), ("CurrentOrOlder", ["1.0", "2.0"])],
)
def test_a_strategy_says_which_versions_are_run(match: str, admitted: list[str]) -> None:
    rule = VersionRule("2.0", MatchStrategy(match))
    assert [one for one in ("1.0", "2.0", "3.0") if rule.admits(one)] == admitted


class Upgradable:
    """One app, deployed again and again over the same task hub."""

    def __init__(self, folder: Path) -> None:
        self.app = folder / "app"
        self.process = HostProcess(self.app, folder)
        shutil.copytree(SAMPLES / "patterns", self.app)

    def deploy(self, **durable: str) -> HostProcess:
        self.stop()
        document = {"version": "2.0", "extensions": {"durableTask": durable}}
        (self.app / "host.json").write_text(json.dumps(document))
        return self.process.start()

    def stop(self) -> None:
        if self.process.process is not None and self.process.process.poll() is None:
            self.process.kill()


@pytest.fixture
def upgradable(tmp_path: Path) -> Iterator[Upgradable]:
    deployed = Upgradable(tmp_path)
    yield deployed
    deployed.stop()


def test_after_a_rollback_a_newer_job_waits_for_the_code_that_knows_it(
    upgradable: Upgradable,
) -> None:
    new = upgradable.deploy(defaultVersion="2.0")
    waiting = new.start_instance("approval", {"timeout_s": 600})
    waiting.wait_custom_status("waiting")
    old = upgradable.deploy(defaultVersion="1.0")
    assert waiting.raise_event("Approval", True) == 202
    assert old.start_instance("chaining").wait()["runtimeStatus"] == "Completed"
    assert waiting.read()["runtimeStatus"] == "Running"
    assert "is not for this host" in old.log
    upgradable.deploy(defaultVersion="2.0")
    assert waiting.wait()["runtimeStatus"] == "Completed"


def test_a_newer_job_fails_where_that_is_wanted(upgradable: Upgradable) -> None:
    new = upgradable.deploy(defaultVersion="2.0")
    waiting: Instance = new.start_instance("approval", {"timeout_s": 600})
    waiting.wait_custom_status("waiting")
    upgradable.deploy(defaultVersion="1.0", versionFailureStrategy="Fail")
    assert waiting.raise_event("Approval", True) == 202
    assert "version 2.0 is not for this host" in waiting.wait_failure()


def test_an_unknown_strategy_is_named(tmp_path: Path) -> None:
    durable = {"versionMatchStrategy": "Newest"}
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
    with pytest.raises(SettingsError, match="versionMatchStrategy is one of None, Strict"):
        load_host_json(tmp_path)
