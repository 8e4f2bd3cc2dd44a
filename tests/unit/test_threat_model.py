"""The threat model names tests: each of them exists."""

import re

from tests.local.functions_host.hosting import REPOSITORY


def test_every_test_that_the_threat_model_names_exists() -> None:
    model = (REPOSITORY / "docs" / "threat-model.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", model))
    source = "\n".join(
        path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py")
    )
    written = set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))
    assert len(named) > 40
    assert named - written == set()


def test_every_row_of_the_threat_model_names_a_test() -> None:
    model = (REPOSITORY / "docs" / "threat-model.md").read_text("utf-8")
    rows = re.findall(r"^\| [STRIDE] \|.*$", model, re.MULTILINE)
    assert len(rows) > 25
    assert [row for row in rows if "`test_" not in row.rpartition(" | ")[2]] == []
