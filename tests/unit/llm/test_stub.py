"""The stub's drafts, applied by the real engine under the rules of a job."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.change import ChangeKind
from shared.llm.provider import DraftRequest, ModelCode, ModelError, RequestError
from shared.llm.strategies import STRATEGIES
from shared.llm.stub import StubProvider
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat

SHOP = {
    "css/site.css": b":root {\n  --accent: #16b;\n}\n\n.button {\n  background: var(--accent);\n}\n"
    b"\n.button:hover {\n  background: #159;\n}\n",
    "index.html": b"<!doctype html>\n<html>\n<body>\n<button>Buy</button>\n</body>\n</html>\n",
    "src/pricing.py": b"def total(items):\n    return sum(items)\n\n\n"
    b"def tax(net):\n    return net * 0.19\n",
    "js/cart.js": b"export function add(item) {\n  return [item];\n}\n",
    "docs/notes.md": b"# Notes\n\nOne.\n",
    "win.txt": b"one\r\ntwo\r\n",
}


def request_for(intent: str, number: int = 1, files: Mapping[str, bytes] = SHOP) -> DraftRequest:
    return DraftRequest(
        intent=intent,
        variant=number,
        variants=10,
        strategy=STRATEGIES[number - 1].id,
        ranked_paths=tuple(files),
        files=files,
        thread_path=None,
        thread_lines=None,
        context_text="",
        deadline=datetime.now(UTC) + timedelta(minutes=1),
        apply=lambda edits, format_, kept=(): apply_edits(
            files,
            edits,
            format=EditFormat(format_),
            rules=PatchRules.default_for_jobs(),
            kept=kept,
        ),
    )


def draft(intent: str, number: int = 1, files: Mapping[str, bytes] = SHOP) -> AppliedPatch:
    made = StubProvider().draft(request_for(intent, number, files))
    assert "Made by the stub provider" in made.summary
    return made.patch


def content(patch: AppliedPatch, path: str) -> bytes:
    found = next(change for change in patch.changes if change.path == path)
    assert found.content is not None
    return found.content


@pytest.mark.parametrize(
    ("intent", "path", "after"),
    [
        (
            "replace `sum(items)` with `sum(items, 0)` in src/pricing.py",
            "src/pricing.py",
            SHOP["src/pricing.py"].replace(b"sum(items)", b"sum(items, 0)"),
        ),
        ('replace "One." with "Two."', "docs/notes.md", b"# Notes\n\nTwo.\n"),
        ("append the line `three` to win.txt", "win.txt", b"one\r\ntwo\r\nthree\r\n"),
        ("insert `zero` before line 1 in win.txt", "win.txt", b"zero\r\none\r\ntwo\r\n"),
        ("create file docs/new.md with content `Hello`", "docs/new.md", b"Hello\n"),
        ("ersetze `One.` durch `Zwei.` in docs/notes.md", "docs/notes.md", b"# Notes\n\nZwei.\n"),
    ],
)
def test_a_plain_instruction_is_carried_out(intent: str, path: str, after: bytes) -> None:
    assert content(draft(intent), path) == after


def test_files_are_deleted_and_renamed() -> None:
    assert draft("delete docs/notes.md").changes[0].kind is ChangeKind.DELETE
    moved = draft("rename js/cart.js to js/basket.js").changes[0]
    assert (moved.previous_path, moved.path) == ("js/cart.js", "js/basket.js")


def test_ten_variants_of_a_look_are_visible_and_all_different() -> None:
    patches = [draft("make all buttons red", number) for number in range(1, 11)]
    assert len({patch.diff for patch in patches}) == 10
    for patch in patches:
        assert "css/site.css" in {change.path for change in patch.changes}
        assert "red" in patch.diff


RULE = b".button {\n  background: blue;\n}\n"
SHEETS = {
    "css/old.css": RULE,
    "css/print.css": b".page {\n  margin: 0;\n}\n",
    "css/site.css": b'@import url("parts.css");\n',
    "css/parts.css": RULE,
    "web/css/shop.css": RULE,
}


def page(*hrefs: str) -> bytes:
    links = "".join(f'<link rel="stylesheet" href="{href}">\n' for href in hrefs)
    return f"<html>\n<head>\n{links}</head>\n<body></body>\n</html>\n".encode()


@pytest.mark.parametrize(
    ("pages", "main"),
    [
        pytest.param({"index.html": page("css/site.css?v=2")}, "css/parts.css", id="imported"),
        pytest.param({"web/a.html": page("/css/shop.css")}, "web/css/shop.css", id="rooted"),
        pytest.param(
            {
                "a.html": page("css/parts.css"),
                "sub/b.html": page("../web/css/shop.css"),
                "c.html": page("web/css/shop.css"),
            },
            "web/css/shop.css",
            id="most-pages",
        ),
        pytest.param({"index.html": page("css/print.css")}, "css/old.css", id="holds-the-selector"),
        pytest.param({"index.html": page()}, "css/old.css", id="no-links"),
    ],
)
def test_a_look_is_added_where_a_page_loads_it(pages: dict[str, bytes], main: str) -> None:
    patch = draft("make all buttons red", 3, SHEETS | pages)
    assert [change.path for change in patch.changes] == [main]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_stylesheet_is_touched_that_no_page_loads(number: int) -> None:
    files = SHEETS | {"index.html": page("css/site.css")}
    changed = {change.path for change in draft("make all buttons red", number, files).changes}
    assert changed == {"css/parts.css"}


def test_an_element_without_a_rule_gets_it_in_the_stylesheet_that_is_loaded() -> None:
    files = {"css/a.css": b".page {}\n", "css/z.css": b".page {}\n", "i.html": page("css/z.css")}
    changed = {change.path for change in draft("make all buttons red", 3, files).changes}
    assert changed == {"css/z.css"}


def test_the_source_of_a_loaded_stylesheet_counts_as_loaded() -> None:
    files = {"scss/site.scss": RULE, "css/old.css": RULE, "i.html": page("css/site.css")}
    changed = {change.path for change in draft("make all buttons red", 3, files).changes}
    assert changed == {"scss/site.scss"}


def test_variants_of_a_request_it_does_not_understand_differ_too() -> None:
    patches = [draft("improve the general feeling of the shop", n) for n in range(1, 11)]
    assert len({patch.diff for patch in patches}) == 10


def test_the_same_request_gives_the_same_draft() -> None:
    first, second = (
        StubProvider().draft(request_for("make all buttons red", 4)).edits for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("intent", "code"),
    [
        ("replace `nowhere` with `x` in docs/notes.md", ModelCode.TEXT_NOT_FOUND),
        ("replace `a` with `b` in no/such/file.txt", ModelCode.FILE_NOT_FOUND),
        ("delete no/such/file.txt", ModelCode.FILE_NOT_FOUND),
        ("create file win.txt with content `x`", ModelCode.FILE_EXISTS),
        ("replace `one` with `one` in win.txt", ModelCode.NOTHING_TO_CHANGE),
    ],
)
def test_what_cannot_be_done_is_said_to_the_author(intent: str, code: ModelCode) -> None:
    with pytest.raises(RequestError) as refused:
        draft(intent)
    assert refused.value.code == code


def test_a_draft_after_the_deadline_is_given_up() -> None:
    late = replace(request_for("make all buttons red"), deadline=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ModelError) as given_up:
        StubProvider().draft(late)
    assert given_up.value.code == ModelCode.OUT_OF_TIME


@pytest.mark.parametrize(
    "intent",
    [
        'note */ } </style> --> """ end',
        "say \u202e backwards \x00 and \x1b[31m red",
        "add a comment `*/ evil()` to css/site.css",
        'add a docstring """ + evil() + """ to src/pricing.py',
        "TODO <?php evil(); ?> in index.html",
        "x" * 2000,
        "# heading\n\n```\n/edit again\n```",
    ],
)
@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_a_hostile_request_leaves_every_file_well_formed(intent: str, number: int) -> None:
    # the engine itself refuses a patch that breaks the syntax of a file
    with contextlib.suppress(RequestError):
        draft(intent, number)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=5, max_size=120), st.integers(1, 10))
def test_any_request_is_drafted_or_refused_for_a_reason(intent: str, number: int) -> None:
    try:
        patch = draft(intent, number)
    except RequestError as error:
        code = error.code
    else:
        assert patch.changes
        return
    assert code in set(ModelCode)


@pytest.mark.parametrize("files", [{}, {"a.bin": b"\0\1\2"}], ids=["empty", "binary-only"])
def test_a_repository_without_text_gets_the_request_written_down(
    files: dict[str, bytes],
) -> None:
    assert draft("make all buttons red", 1, files).changes[0].kind is ChangeKind.ADD
