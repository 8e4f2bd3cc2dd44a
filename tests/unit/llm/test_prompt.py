"""What models read, word for word: a change of a prompt shows in `prompts/*.txt`.

`pytest tests/unit/llm/test_prompt.py --inline-snapshot=fix` writes them anew.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import external_file

import shared.llm.prompt
from shared.domain.credentials import MASK
from shared.llm.prompt import (
    PROMPT_VERSION,
    read_approach,
    write_judging,
    write_repair,
    write_request,
    write_shared,
    write_survey,
    write_system,
)
from shared.llm.provider import DraftRequest
from shared.llm.strategies import STRATEGIES
from shared.patching.apply import AppliedPatch
from shared.settings.models import EDIT_FORMATS

SHOWN = Path(__file__).with_name("prompts")
PINNED = {"5": "1ec249112f6d81c3"}
"""Version of the prompts to the digest of their files: one line only, the one that holds now."""

KEY = "AKIA" + "SECRETSECRETSECR"


def show(name: str) -> Any:
    return external_file(str(SHOWN / f"{name}.txt"))


def build_request(**changes: Any) -> DraftRequest:
    def refuse(edits: str, edit_format: str) -> AppliedPatch:
        raise AssertionError(f"{edit_format} is not applied here: {edits}")

    told: dict[str, Any] = {
        "intent": "make all buttons red",
        "variant": 1,
        "variants": 1,
        "strategy": "smallest",
        "ranked_paths": (),
        "files": {},
        "thread_path": None,
        "thread_lines": None,
        "context_text": "# Files of the repository\ncss/site.css\n\n# css/site.css\n    1 a {}\n",
        "deadline": datetime(2026, 11, 25, tzinfo=UTC),
        "apply": refuse,
        "nonce": "0123456789abcdef",
        "pull_request": "Checkout page\n\nAdds the checkout page.",
    }
    return DraftRequest(**(told | changes))


@pytest.mark.parametrize("edit_format", EDIT_FORMATS)
def test_the_system_prompt_for_each_form_of_edits(edit_format: str) -> None:
    assert write_system(edit_format, 6) == show(f"system-{edit_format}")


def test_looking_is_not_spoken_of_where_there_is_none() -> None:
    with_looks, without = write_system("structured", 6), write_system("structured", 0)
    left_out = set(with_looks.splitlines()) - set(without.splitlines())
    assert len(left_out) == 1
    assert "`read_file`" in left_out.pop()
    assert set(without.splitlines()) < set(with_looks.splitlines())


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("shared", {}),
        ("shared-thread", {"thread_path": "css/site.css"}),
        ("shared-lines", {"thread_path": "css/site.css", "thread_lines": (3, 5)}),
    ],
)
def test_what_all_variants_are_shown(name: str, place: dict[str, Any]) -> None:
    assert write_shared(build_request(**place)) == show(name)


def test_all_variants_are_shown_the_same_to_the_byte() -> None:
    requests = [
        build_request(variant=number, variants=10, strategy=strategy.id)
        for number, strategy in enumerate(STRATEGIES, 1)
    ]
    assert len({write_shared(request) for request in requests}) == 1
    assert len({write_request(request, "structured") for request in requests}) == 10


@pytest.mark.parametrize(
    ("name", "asked", "edit_format"),
    [
        ("request-only-one", {}, "structured"),
        (
            "request-second-of-three",
            {"variant": 2, "variants": 3, "strategy": "idiomatic"},
            "structured",
        ),
        ("request-in-text", {}, "v4a"),
    ],
)
def test_what_one_variant_is_asked(name: str, asked: dict[str, Any], edit_format: str) -> None:
    assert write_request(build_request(**asked), edit_format) == show(name)


@pytest.mark.parametrize(
    ("name", "report", "left"), [("repair", "It does not fit.", 3), ("repair-last", "", 1)]
)
def test_what_a_repair_is_told(name: str, report: str, left: int) -> None:
    assert write_repair(report, "Send it again.", left) == show(name)


def test_what_is_asked_before_the_variants() -> None:
    assert write_survey(build_request()) == show("survey")


@pytest.mark.parametrize("language", ["en", "de"])
def test_how_a_command_is_judged(language: str) -> None:
    assert write_judging(language) == show(f"judging-{language}")


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.id)
def test_every_strategy_has_words_of_its_own(strategy: Any) -> None:
    approach = read_approach(strategy.id)
    assert approach.endswith(".")
    assert sum(read_approach(other.id) == approach for other in STRATEGIES) == 1


def test_there_is_no_other_strategy() -> None:
    with pytest.raises(ValueError, match="elegant"):
        read_approach("elegant")


def test_credentials_are_cut_out_of_everything() -> None:
    request = build_request(intent=f"use {KEY}", context_text=KEY, pull_request=KEY)
    written = [
        write_shared(request),
        write_request(request, "structured"),
        write_survey(request),
        write_repair(KEY, "Again.", 2),
    ]
    assert [(KEY in text, MASK in text) for text in written] == [(False, True)] * 4


def test_nothing_of_a_request_is_taken_for_a_template() -> None:
    sign = "{{ nonce }} {% include 'system.md.j2' %}"
    request = build_request(intent=sign, context_text=sign, pull_request=sign)
    assert sign in write_request(request, "structured")
    assert write_shared(request).count(sign) == 2


def test_a_change_of_a_prompt_raises_its_version() -> None:
    folder = Path(shared.llm.prompt.__file__).with_name("prompts")
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.*")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    found = digest.hexdigest()[:16]
    assert {PROMPT_VERSION: found} == PINNED, (
        "a prompt was changed: raise PROMPT_VERSION in shared/llm/prompt.py, so that no result of "
        f"the old words is taken for one of the new, and pin it here with {found!r}"
    )
