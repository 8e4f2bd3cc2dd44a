import json
import re

import pytest

from ops.__main__ import main
from ops.incident import SEVERITIES
from tests.local.functions_host.hosting import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "incidents.md").read_text("utf-8")
INCIDENT = ("incident", "--title", "It is  down", "--severity", "P0", "--impact", "Nobody: $5 {x}")


def test_the_template_is_filled_and_keeps_no_credential(capsys: pytest.CaptureFixture[str]) -> None:
    token = "ghp_" + "a1B2" * 9
    more = ("--started", "2026-01-01T10:00+02:00", "--details", f"seen: {token}")
    assert main([*INCIDENT, *more, "--next-update-min", "15"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("## Incident update: It is down\n")
    assert "**Impact:** Nobody: $5 {x}\n" in text
    assert "**Started:** 2026-01-01 08:00 UTC\n" in text
    assert re.search(r"\*Next update in 15 minutes \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\), or", text)
    assert token not in text
    assert main([*INCIDENT, "--status", "resolved", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["severity"], told["status"]) == ("P0", "resolved")
    assert "last update" in told["text"]


@pytest.mark.parametrize(
    "wrong",
    [("--severity", "P4"), ("--next-update-min", "0"), ("--started", "2026-01-01T10:00")],
)
def test_wrong_usage_says_so(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*INCIDENT, *wrong])
    assert caught.value.code == 2


def test_the_document_and_the_command_know_the_same_severities_and_every_link_leads_on() -> None:
    rows = dict(re.findall(r"^\| (P\d) \| ([^|]+) \|", DOCUMENT, re.MULTILINE))
    assert list(rows) == list(SEVERITIES)
    assert [name for name in rows if rows[name] not in SEVERITIES[name]] == []
    links = re.findall(r"\]\(([\w/.-]+)\)", DOCUMENT)
    assert len(links) > 20
    assert [link for link in links if not (REPOSITORY / "docs" / link).exists()] == []
