import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ops.__main__ import main
from shared.domain.switches import MAX_NOTE, Mode, Switches
from shared.store import switches
from shared.store.database import Database
from shared.store.tables import AUDIT_LOGS

BY = ("--by", "an-operator")


@pytest.fixture(params=["sqlite", "postgres"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.db'}" if is_sqlite else request.getfixturevalue("postgres_url")
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", url)
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    monkeypatch.setenv("CODE_AGENT_PROVIDER", "anthropic,openai")
    database = Database(url)
    database.upgrade()
    yield database
    database.dispose()


def read(database: Database) -> Switches:
    with database.read() as connection:
        return Switches.of_set(switches.load(connection))


def test_switches_are_turned_shown_and_let_go_with_a_trail(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["switch", "pause", "--note", " a  note ", *BY, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["switches"]["mode"]["value"] == "paused"
    assert read(database) == Switches()
    assert main(["switch", "pause", "--note", " a  note ", *BY]) == 0
    assert main(["switch", "read-only", *BY]) == 0
    assert main(["switch", "brake", "2", *BY]) == 0
    assert main(["switch", "providers", "openai, anthropic", *BY]) == 0
    assert read(database) == Switches(Mode.READ_ONLY, 2, ("openai", "anthropic"))
    capsys.readouterr()
    assert main(["switch", "show"]) == 0
    assert "openai,anthropic  since 2" in capsys.readouterr().out
    assert main(["switch", "clear", "brake", *BY]) == 0
    assert main(["switch", "resume", *BY]) == 0
    assert read(database) == Switches(providers=("openai", "anthropic"))
    assert main(["switch", "clear", *BY]) == 0
    assert main(["switch", "clear", *BY]) == 0
    assert read(database) == Switches()
    with database.read() as connection:
        trail = connection.execute(select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.id)).mappings().all()
    assert {(row["action"], row["actor_id"]) for row in trail} == {("switch_turned", BY[1])}
    assert [row["facts"]["to"] for row in trail] == [
        *("paused", "read-only", 2, "openai,anthropic"),
        *("default", "default", "default"),
    ]


@pytest.mark.parametrize(
    "words", [("brake", "11"), ("providers", "stub"), ("pause", "--note", "x" * (MAX_NOTE + 1))]
)
def test_what_makes_no_sense_is_refused(database: Database, words: tuple[str, ...]) -> None:
    assert main(["switch", *words, *BY]) == 3
    assert read(database) == Switches()


def test_an_operator_whom_azure_devops_does_not_tell_is_named_by_hand(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "http://127.0.0.1:9/contoso")
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", "nobody")
    assert main(["switch", "pause"]) == 1
    assert "--by" in capsys.readouterr().err
    assert read(database) == Switches()


def test_no_database_and_no_sense_have_codes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", f"sqlite:///{tmp_path}/none/r.db")
    assert main(["switch", "show"]) == 1
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", "keyvault:database-url")
    assert main(["switch", "show"]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["switch", "brake", "0"])
    assert caught.value.code == 2
