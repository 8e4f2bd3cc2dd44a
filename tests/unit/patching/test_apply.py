import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.change import ChangeKind, FileChange
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, Rung

JOB = PatchRules.default_for_jobs()


def structured(*edits: dict[str, Any]) -> str:
    return json.dumps({"edits": edits})


def replace(path: str, search: str, new: str, *, everywhere: bool = False) -> dict[str, Any]:
    return {
        "action": "replace",
        "path": path,
        "search": search,
        "replace": new,
        "every_occurrence": everywhere,
    }


def apply(files: dict[str, bytes], *edits: dict[str, Any], **options: Any) -> AppliedPatch:
    return apply_edits(files, structured(*edits), format=EditFormat.STRUCTURED, **options)


@pytest.mark.parametrize(
    ("before", "search", "new", "after", "rung"),
    [
        pytest.param(b"a\nb\nc\n", "b\n", "B\n", b"a\nB\nc\n", Rung.EXACT, id="a-line"),
        pytest.param(b"a\nb\nc", "c\n", "C\n", b"a\nb\nC", Rung.EXACT, id="no-final-newline"),
        pytest.param(b"a\nb", "b\n", "b\nc\n", b"a\nb\nc", Rung.EXACT, id="behind-the-last"),
        pytest.param(
            b"a\r\nb\r\nc\r\n",
            "a\nb\n",
            "a\nB\nX\n",
            b"a\r\nB\r\nX\r\nc\r\n",
            Rung.LINE_ENDINGS,
            id="crlf",
        ),
        pytest.param(
            b"\xef\xbb\xbfa\nb\n", "a\n", "A\n", b"\xef\xbb\xbfA\nb\n", Rung.EXACT, id="bom"
        ),
        pytest.param(b"a\r\nb\nc\r\n", "b\n", "B\n", b"a\r\nB\nc\r\n", Rung.EXACT, id="mixed"),
        pytest.param(b"\xe4\nb\n", "b\n", "\u00fc\n", b"\xe4\n\xfc\n", Rung.EXACT, id="latin-1"),
        pytest.param(
            b"a  \nb\t\nc\n",
            "a\nb\nc\n",
            "a\nb\nC\n",
            b"a  \nb\t\nC\n",
            Rung.TRAILING_BLANKS,
            id="trailing-blanks",
        ),
        pytest.param(
            b"if x:\n        a\n        b\n",
            "    a\n    b\n",
            "    a\n    c\n    d\n",
            b"if x:\n        a\n        c\n        d\n",
            Rung.INDENTATION,
            id="indentation",
        ),
        pytest.param(
            "x = \u201ca\u201d + b\ny\n".encode(),
            'x = "a" + b\n',
            'x = "a" + c\n',
            "x = \u201ca\u201d + c\ny\n".encode(),
            Rung.LOOK_ALIKES,
            id="look-alikes-stay",
        ),
        pytest.param(b"color: blue;\n", "blue", "red", b"color: red;\n", Rung.EXACT, id="inside"),
    ],
)
def test_a_block_is_replaced_and_all_else_keeps_its_bytes(
    before: bytes, search: str, new: str, after: bytes, rung: Rung
) -> None:
    patch = apply({"f": before}, replace("f", search, new))
    assert patch.changes == (FileChange("f", ChangeKind.EDIT, after),)
    assert [hunk.rung for hunk in patch.hunks] == [rung]


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        pytest.param([replace("f", "zz\n", "y\n")], PatchCode.CONTEXT_NOT_FOUND, id="missing"),
        pytest.param([replace("f", "a\n", "b\n")], PatchCode.AMBIGUOUS, id="twice"),
        pytest.param([replace("x", "a\n", "b\n")], PatchCode.FILE_NOT_FOUND, id="no-file"),
        pytest.param([replace("f", "b\n", "b\n")], PatchCode.NOTHING_CHANGED, id="nothing"),
        pytest.param(
            [replace("f", "a\nb\n", "x\n"), replace("f", "b\n", "y\n")],
            PatchCode.OVERLAP,
            id="overlap",
        ),
        pytest.param([replace("../f", "a\n", "b\n")], PatchCode.PATH_REFUSED, id="climbs"),
        pytest.param([replace("/etc/passwd", "a\n", "b\n")], PatchCode.PATH_REFUSED, id="absolute"),
        pytest.param(
            [{"action": "create", "path": ".git/hooks/x", "content": "x"}],
            PatchCode.PATH_REFUSED,
            id="git",
        ),
        pytest.param(
            [{"action": "create", "path": "link/x", "content": "x"}],
            PatchCode.PATH_REFUSED,
            id="behind-a-symlink",
        ),
        pytest.param(
            [{"action": "create", "path": "ci/azure-pipelines.yml", "content": "x"}],
            PatchCode.PROTECTED,
            id="protected",
        ),
        pytest.param(
            [{"action": "create", "path": "f", "content": "x"}], PatchCode.FILE_EXISTS, id="exists"
        ),
        pytest.param(
            [{"action": "create", "path": "n", "content": "x\0y"}], PatchCode.BINARY, id="binary"
        ),
        pytest.param([replace("png", "a\n", "b\n")], PatchCode.BINARY, id="binary-before"),
        pytest.param(
            [replace("latin", "b\n", "\u20ac\n")], PatchCode.ENCODING, id="not-in-the-encoding"
        ),
        pytest.param(
            [{"action": "create", "path": "n", "content": "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"}],
            PatchCode.CONFLICT_MARKERS,
            id="conflict-markers",
        ),
        pytest.param(
            [replace("js", "a();\n  b();\n", "  // ... existing code ...\n")],
            PatchCode.ELIDED,
            id="elided",
        ),
        pytest.param(
            [{"action": "overwrite", "path": "js", "content": "f();\n// ... rest of the file\n"}],
            PatchCode.ELIDED,
            id="elided-behind",
        ),
        pytest.param(
            [
                {
                    "action": "overwrite",
                    "path": "f",
                    "content": "a\nThe rest of the file is unchanged.",
                }
            ],
            PatchCode.ELIDED,
            id="elided-in-words",
        ),
        pytest.param([replace("m.py", "x = 1\n", "x = (\n")], PatchCode.SYNTAX_BROKEN, id="syntax"),
        pytest.param(
            [{"action": "create", "path": "k", "content": f"AKIA{'A' * 16}\n"}],
            PatchCode.SECRET_INTRODUCED,
            id="secret",
        ),
        pytest.param(
            [{"action": "create", "path": "k", "content": "x" * 200_001}],
            PatchCode.TOO_LARGE,
            id="too-large",
        ),
        pytest.param(
            [{"action": "create", "path": f"n{at}", "content": "x"} for at in range(51)],
            PatchCode.TOO_MANY_FILES,
            id="too-many",
        ),
        pytest.param([], PatchCode.NO_EDITS, id="no-edits"),
    ],
)
def test_an_edit_is_refused_whole(edits: list[dict[str, Any]], code: PatchCode) -> None:
    files = {
        "f": b"a\nb\na\n",
        "m.py": b"x = 1\n",
        "js": b"function f() {\n  a();\n  b();\n}\n",
        "png": b"\x89PNG\0a\n",
        "latin": b"\xe4\nb\n",
        "link": b"target",
    }
    with pytest.raises(PatchError) as refused:
        apply(files, *edits, rules=JOB, symlinks=frozenset({"link"}))
    assert refused.value.code == code
    assert "a\nb" not in refused.value.message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("def f():\n    return 1\n", "def f():\n    ...\n", id="an-ellipsis"),
        pytest.param("a\n", "a\n# ... existing code ...\nb\n", id="nothing-is-gone"),
        pytest.param(
            "# ... existing code ...\na\n", "# ... existing code ...\nb\n", id="was-there"
        ),
        pytest.param("a\n", "# ...and so on\n# keeps the rest of the list\n", id="prose"),
    ],
)
def test_dots_that_stand_for_nothing_are_written(before: str, after: str) -> None:
    edit = {"action": "overwrite", "path": "f.txt", "content": after}
    [change] = apply({"f.txt": before.encode()}, edit, rules=JOB).changes
    assert change.content == after.encode()


def test_the_report_quotes_the_block_and_the_nearest_lines() -> None:
    with pytest.raises(PatchError) as refused:
        apply({"f": b"one\ndef total(items):\ntwo\n"}, replace("f", "def total(itms):\n", "x\n"))
    assert "def total(itms):" in refused.value.report
    assert "     2: def total(items):" in refused.value.report


def test_files_are_created_moved_and_deleted_in_one_patch() -> None:
    files = {"old.txt": b"x\n" * 20, "gone": b"g\n", "kept": b"k\n"}
    patch = apply(
        files,
        replace("old.txt", "x\n" * 20, "x\n" * 19 + "y\n"),
        {"action": "rename", "path": "old.txt", "new_path": "dir/new.txt"},
        {"action": "delete", "path": "gone"},
        {"action": "create", "path": "a/b", "content": "new\n"},
    )
    assert patch.changes == (
        FileChange("a/b", ChangeKind.ADD, b"new\n"),
        FileChange("dir/new.txt", ChangeKind.RENAME, b"x\n" * 19 + b"y\n", "old.txt"),
        FileChange("gone", ChangeKind.DELETE),
    )
    assert patch.statistics.files_changed == 3


def test_every_occurrence_is_replaced_when_that_is_asked() -> None:
    patch = apply({"f": b"a\nb\na\n"}, replace("f", "a\n", "x\n", everywhere=True))
    assert patch.changes[0].content == b"x\nb\nx\n"


def git_apply(folder: Path, files: dict[str, bytes], diff: str) -> dict[str, bytes]:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=folder,
        input=diff.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_git_applies_the_diff(tmp_path: Path) -> None:
    files = {
        "name with blank": b"a\nb\nc\n",
        "no-newline": b"x\ny",
        "crlf": b"a\r\nb\r\n",
        "moved": b"1\n2\n3\n",
        "gone": b"g",
        "\u00fcml\u00e4ut": b"\xe4\nb\n",
    }
    patch = apply(
        files,
        replace("name with blank", "b\n", "B\nBB\n"),
        replace("no-newline", "y\n", "z\n"),
        replace("crlf", "b\n", "B\n"),
        replace("moved", "2\n", "two\n"),
        {"action": "rename", "path": "moved", "new_path": "to/there"},
        {"action": "delete", "path": "gone"},
        {"action": "create", "path": "new", "content": "n"},
        replace("\u00fcml\u00e4ut", "b\n", "B\n"),
    )
    assert git_apply(tmp_path, files, patch.diff) == {
        "name with blank": b"a\nB\nBB\nc\n",
        "no-newline": b"x\nz",
        "crlf": b"a\r\nB\r\n",
        "to/there": b"1\ntwo\n3\n",
        "new": b"n",
        "\u00fcml\u00e4ut": b"\xe4\nB\n",
    }


LINES = st.lists(st.sampled_from(["a", "b", "  c", "d ", "", "\u00e9"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(LINES, LINES, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_unified_diff_of_two_texts_turns_one_into_the_other(
    old: list[str],
    new: list[str],
    ends: bool,  # noqa: FBT001 - drawn by hypothesis
    ending: str,
) -> None:
    before, after = (
        (ending.join(lines) + (ending if ends and lines else "")).encode() for lines in (old, new)
    )
    if not before or before == after or not after:
        return
    first = apply_edits(
        {"f": before},
        structured({"action": "overwrite", "path": "f", "content": after.decode()}),
        format=EditFormat.STRUCTURED,
    )
    try:
        again = apply_edits({"f": before}, first.diff, format=EditFormat.UNIFIED_DIFF)
    except PatchError as refused:
        # line numbers are a hint: a block that stands twice is refused, never guessed
        code = refused.code
    else:
        assert again.changes[0].content == after
        return
    assert code == PatchCode.AMBIGUOUS
