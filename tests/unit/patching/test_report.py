"""What a refusal tells the model."""

import pytest

from shared.patching.apply import apply_edits
from shared.patching.errors import PatchError

FILE = "".join(f"value_{at} = compute({at})\n" for at in range(1, 31)).encode()


def block(search: str, replace: str) -> str:
    return f"f\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def refuse(files: dict[str, bytes], edits: str) -> PatchError:
    with pytest.raises(PatchError) as refused:
        apply_edits(files, edits)
    return refused.value


def test_a_missing_hunk_is_quoted_with_the_nearest_lines_and_their_numbers() -> None:
    edits = block("value_20 = compote(20, more)\n", "x\n")
    report = refuse({"f": FILE}, edits).report
    assert "Hunk 1 of f does not fit" in report
    assert "    value_20 = compote(20, more)" in report
    assert "    20: value_20 = compute(20)" in report
    assert "Quote the lines exactly" in report
    assert "Nothing was applied." in report


def test_an_ambiguous_hunk_names_the_places() -> None:
    report = refuse({"f": b"same\nx\nsame\n"}, block("same\n", "y\n")).report
    assert "fits in 2 places, from lines 1, 3" in report
    assert "Add lines above or below" in report


def test_every_hunk_that_fails_is_told_of_and_those_that_fit() -> None:
    edits = block("none\n", "x\n") + block("value_3 = compute(3)\n", "y\n") + block("no\n", "z\n")
    report = refuse({"f": FILE}, edits).report
    assert "Hunk 1 of f does not fit" in report
    assert "Hunk 3 of f does not fit" in report
    assert report.endswith("These edits fit and need not be sent again:\n- f: value_3 = compute(3)")


def test_many_failures_are_counted_not_listed() -> None:
    edits = "".join(block(f"missing number {at}\n", "x\n") for at in range(20))
    report = refuse({"f": FILE}, edits).report
    assert "12 more edits do not fit." in report


def test_a_long_hunk_is_cut() -> None:
    report = refuse({"f": FILE}, block("zzz\n" * 50, "x\n")).report
    assert "… 20 more lines" in report


def test_a_missing_file_is_named() -> None:
    error = refuse({"a": b"", "b": b""}, block("x\n", "y\n"))
    assert error.path == "f"
    assert "There is no file 'f'" in error.report


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ("f\n<<<<<<< SEARCH\na\n=======\nb\n", "no `>>>>>>> REPLACE` line"),
        ("f\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", "no `=======` line"),
        ("f\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n", r"`\=======`"),
        (block("a\n<<<<<<< HEAD\n", "b\n"), r"`\<<<<<<<`"),
        (block("a\n", ":start_line:3\nb\n"), r"`\:start_line:`"),
        ("*** Begin Patch\n*** Update File: f\n", "no `*** End Patch` line"),
        ("*** Begin Patch\n*** Update File: f\n@@\nbad\n*** End Patch\n", "'bad'"),
    ],
)
def test_a_malformed_edit_is_told_what_is_wrong(edits: str, said: str) -> None:
    assert said in refuse({"f": b"a\n"}, edits).report


def test_the_message_for_people_quotes_no_code() -> None:
    error = refuse({"f": FILE}, block("value_20 = secret\n", "x\n"))
    assert "secret" in error.report
    assert "secret" not in error.message
