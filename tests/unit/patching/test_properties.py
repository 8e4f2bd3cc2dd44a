"""What holds for any file and any edit."""

import subprocess
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.domain.change import ChangeKind, FileChange
from shared.patching.apply import apply_edits
from shared.patching.diff import describe_changes
from shared.patching.errors import PatchCode, PatchError
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat
from shared.patching.text import decode, split_lines
from tests.unit.patching.test_apply import git_apply

LINE = st.sampled_from(["a", "b", "  c", "d ", "", "\t", "caf\u00e9", "- x", "+ y", "@@", "-- z"])
ENDING = st.sampled_from(["\n", "\n", "\r\n"])
QUICK = settings(
    max_examples=100,
    deadline=None,
    # a folder of its own for each example is made inside the test
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


ENCODING = st.sampled_from(["utf-8", "utf-8-sig", "latin-1"])


@st.composite
def contents(draw: st.DrawFn, encoding: str | None = None) -> bytes:
    """Draw a text file: any mixture of endings, with or without a mark and a last newline."""
    lines = draw(st.lists(st.tuples(LINE, ENDING), min_size=1, max_size=12))
    if draw(st.booleans()):
        lines = [(line, "\r\n") for line, _ in lines]
    text = "".join(line + ending for line, ending in lines)
    if draw(st.booleans()):
        text = text.removesuffix("\n").removesuffix("\r")
    return text.encode(encoding or draw(ENCODING))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw two different files of one encoding: an edit changes lines, not the encoding."""
    encoding = draw(ENCODING)
    both = st.tuples(contents(encoding), contents(encoding))
    return draw(both.filter(lambda pair: pair[0] != pair[1]))


def write_diff(before: bytes, after: bytes) -> str:
    change = FileChange("f", ChangeKind.EDIT, after)
    return describe_changes([change], {"f": before})[0]


def write_git_diff(folder: Path, before: bytes, after: bytes) -> str:
    (folder / "old").write_bytes(before)
    (folder / "new").write_bytes(after)
    command = ["git", "diff", "--no-index", "--no-color", "old", "new"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    text = done.stdout.decode("utf-8", "surrogateescape")
    return text.replace("a/old", "a/f").replace("b/new", "b/f")


def apply_or_code(before: bytes, edits: str, format_: EditFormat) -> bytes | str:
    try:
        changes = apply_edits(
            {"f": before}, edits, format=format_, rules=PatchRules(check_conflict_markers=False)
        ).changes
    except PatchError as refused:
        return refused.code
    return changes[0].content or b""


@QUICK
@given(pairs())
def test_our_diff_of_two_files_turns_one_into_the_other(pair: tuple[bytes, bytes]) -> None:
    before, after = pair
    result = apply_or_code(before, write_diff(before, after), EditFormat.UNIFIED_DIFF)
    # the numbers are a hint: where lines stand twice and none there, it is refused, never guessed
    assert result in {after, PatchCode.AMBIGUOUS}


@settings(QUICK, max_examples=25)
@given(pair=pairs())
def test_a_diff_of_git_turns_one_file_into_the_other(
    tmp_path: Path, pair: tuple[bytes, bytes]
) -> None:
    before, after = pair
    diff = write_git_diff(tmp_path, before, after)
    result = apply_or_code(before, diff, EditFormat.UNIFIED_DIFF)
    assert result in {after, PatchCode.AMBIGUOUS}


@settings(QUICK, max_examples=25)
@given(pair=pairs())
def test_git_accepts_our_diff(tmp_path: Path, pair: tuple[bytes, bytes]) -> None:
    before, after = pair
    folder = tmp_path / "tree"
    folder.mkdir(exist_ok=True)
    assert git_apply(folder, {"f": before}, write_diff(before, after)) == {"f": after}


NEW = st.lists(st.sampled_from(["x", "  y", "z"]), min_size=1, max_size=3)


@QUICK
@given(contents(), NEW, st.data())
def test_all_but_the_replaced_line_keeps_its_bytes(
    before: bytes, new: list[str], data: st.DataObject
) -> None:
    lines = before.splitlines(keepends=True)
    assume(lines)
    at = data.draw(st.integers(0, len(lines) - 1))
    text = lines[at].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8", "replace")
    wanted = "".join(line + "\n" for line in new)
    edits = f"f\n<<<<<<< SEARCH\n{text}\n=======\n{wanted}>>>>>>> REPLACE\n"
    result = apply_or_code(before, edits, EditFormat.SEARCH_REPLACE)
    assume(isinstance(result, bytes))
    assert isinstance(result, bytes)
    assert result.startswith(b"\xef\xbb\xbf") == before.startswith(b"\xef\xbb\xbf")
    if text.strip():
        assert result.endswith(b"\n") == before.endswith(b"\n")
    kept = [line.rstrip(b"\r\n") for line in lines[:at] + lines[at + 1 :]]
    after = [line.rstrip(b"\r\n") for line in result.splitlines()]
    assert all(line.removeprefix(b"\xef\xbb\xbf") in b"\n".join(after) for line in kept)


PIECES = st.sampled_from(
    [
        "<<<<<<< SEARCH\n", "------- SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", ":start_line:2\n",
        "*** Begin Patch\n", "*** End Patch\n", "*** Update File: f\n", "*** Add File: n\n",
        "*** Move to: g\n", "*** End of File\n", "@@\n", "@@ a\n", "@@ -1,2 +1,2 @@\n",
        "--- a/f\n", "+++ b/f\n", "--- /dev/null\n", "diff --git a/f b/f\n", "rename from f\n",
        "rename to g\n", "\\ No newline at end of file\n", "```\n", "```diff\n", "f\n", " a\n",
        "-a\n", "+b\n", "a\n", "b\n", "...\n", "\n", "\r\n", '{"edits": [', "]}", "\0", "\udc80",
    ]
)  # fmt: skip


@settings(QUICK, max_examples=400)
@given(contents(), st.lists(PIECES, max_size=14), st.sampled_from(list(EditFormat)))
def test_whatever_is_written_the_engine_answers_or_refuses(
    before: bytes, pieces: list[str], format_: EditFormat
) -> None:
    result = apply_or_code(before, "".join(pieces), format_)
    assert isinstance(result, bytes) or result in set(PatchCode)


VALID = [
    "f\n<<<<<<< SEARCH\na\nb\n=======\nc\n>>>>>>> REPLACE\n",
    "*** Begin Patch\n*** Update File: f\n@@ a\n b\n-a\n+c\n*** End Patch\n",
    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n",
    '{"edits": [{"action": "replace", "path": "f", "search": "a\\n", "replace": "c\\n"}]}',
    "f\n```\na\nc\n```\n",
]


@settings(QUICK, max_examples=300)
@given(contents(), st.sampled_from(VALID), st.data())
def test_a_spoilt_edit_is_answered_or_refused(
    before: bytes, valid: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(valid)))
    length = data.draw(st.integers(0, 6))
    put = data.draw(st.text(max_size=3))
    result = apply_or_code(before, valid[:at] + put + valid[at + length :], EditFormat.AUTO)
    assert isinstance(result, bytes) or result in set(PatchCode)


@settings(QUICK, max_examples=300)
@given(contents(), st.lists(st.integers(0, 13), min_size=6, max_size=6))
def test_lines_are_cut_out_as_if_the_text_had_been_split(content: bytes, picked: list[int]) -> None:
    text = decode(content, "f")
    lines = split_lines(text.text)
    for first, second in zip(picked[::2], picked[1::2], strict=True):
        start, end = sorted((min(first, len(lines)), min(second, len(lines))))
        assert text.cut(start, end) == "".join(lines[start:end])
        assert text.cut(start) == "".join(lines[start:])
        assert text.is_end(end) == (end == len(lines))
        run = text.bare[start:end]
        starts = [at for at in range(len(lines)) if text.bare[at : at + len(run)] == run]
        assert not run or text.find_run(run, 100) == starts
