"""Each rung of the ladder, what is refused on it, and what it leaves of the file's own hand."""

import pytest

from shared.patching.apply import apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.lines import FileLines
from shared.patching.place import place_hunk
from shared.patching.script import EditFormat, Hunk, Rung
from shared.patching.splice import splice_hunks
from shared.patching.text import FileText

BODY = (
    "def load(path):\n"
    "    with open(path) as file:\n"
    "        text = file.read()\n"
    "    if not text:\n"
    "        return None\n"
    "    return parse(text)\n"
)


def block(search: str, replace: str) -> str:
    return f"f\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def apply(before: str, edits: str) -> tuple[str, list[Rung]]:
    patch = apply_edits({"f": before.encode()}, edits)
    content = patch.changes[0].content
    assert content is not None
    return content.decode(), [hunk.rung for hunk in patch.hunks]


def refuse(before: str, edits: str) -> PatchError:
    with pytest.raises(PatchError) as refused:
        apply(before, edits)
    return refused.value


RUNGS = [
    pytest.param("a(1)\n", "a(1)\n", "b(2)\n", "b(2)\n", Rung.EXACT, id="exact"),
    pytest.param("a(1)\r\nx\r\n", "a(1)\nx\n", "b(2)\nx\n", "b(2)\r\nx\r\n", Rung.LINE_ENDINGS,
                 id="line-endings"),
    pytest.param("a(1)  \nx\n", "a(1)\nx\n", "b(2)\nx\n", "b(2)  \nx\n", Rung.TRAILING_BLANKS,
                 id="trailing-blanks"),
    pytest.param("    a(1)\n", "  a(1)\n", "  b(2)\n", "    b(2)\n", Rung.INDENTATION,
                 id="indentation"),
    pytest.param("a('\u201c')\n", "a('\"')\n", "b('\"')\n", "b('\u201c')\n", Rung.LOOK_ALIKES,
                 id="look-alikes"),
    pytest.param("a(1)\nx\ny\nz(3)\n", "a(1)\n...\nz(3)\n", "b(2)\n...\nz(3)\n",
                 "b(2)\nx\ny\nz(3)\n", Rung.ELIDED, id="elided"),
    pytest.param(BODY, BODY.replace("file.read()", "file.load()").replace("text)", "text )"),
                 BODY.replace("file.read()", "file.load()").replace("text)", "text )")
                 .replace("None", "{}"), BODY.replace("None", "{}"), Rung.DRIFTED, id="drifted"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "search", "replace", "after", "rung"), RUNGS)
def test_a_rung_is_climbed_and_reported(
    before: str, search: str, replace: str, after: str, rung: Rung
) -> None:
    assert apply(before, block(search, replace)) == (after, [rung])


@pytest.mark.parametrize(("before", "search", "replace", "after", "rung"), RUNGS)
def test_two_places_on_one_rung_are_refused(
    before: str, search: str, replace: str, after: str, rung: Rung
) -> None:
    assert after != before
    assert rung
    refused = refuse(before + "middle\n" + before, block(search, replace))
    assert refused.code == PatchCode.AMBIGUOUS


def test_a_lower_rung_wins_over_a_higher_one() -> None:
    assert apply("  a(1)\na(1)\n", block("a(1)\n", "b(2)\n")) == ("  a(1)\nb(2)\n", [Rung.EXACT])


def test_what_is_there_already_is_left_alone() -> None:
    done = "def load(path):\n    check(path)\n    with open(path) as file:\n        pass\n"
    edits = block(done.replace("    check(path)\n", ""), done) + block("end()\n", "stop()\n")
    after, rungs = apply(done + "end()\n", edits)
    assert (after, rungs) == (done + "stop()\n", [Rung.DONE, Rung.EXACT])


def test_an_edit_that_is_all_there_already_changes_nothing() -> None:
    done = "def load(path):\n    check(path)\n    with open(path) as file:\n        pass\n"
    refused = refuse(done, block(done.replace("    check(path)\n", ""), done))
    assert refused.code == PatchCode.NOTHING_CHANGED


def test_hunks_in_the_order_of_the_file_find_their_own_duplicate() -> None:
    before = "x\nsame\ny\nsame\nz\nsame\n"
    edits = "--- a/f\n+++ b/f\n@@ @@\n-y\n+Y\n@@ @@\n-same\n+new\n@@ @@\n-z\n+Z\n"
    assert apply(before, edits)[0] == "x\nsame\nY\nnew\nZ\nsame\n"


def test_a_moved_line_keeps_the_text_that_it_has_in_the_file() -> None:
    before = "    one = \u2018a\u2019\n    two = compute(b)\n"
    search = "one = 'a'\ntwo = compute(b)\n"
    wanted = "two = compute(b)\none = 'a'\n"
    after = "    two = compute(b)\n    one = \u2018a\u2019\n"
    assert apply(before, block(search, wanted))[0] == after


def test_new_lines_at_a_seam_of_blank_lines_stand_above_what_follows() -> None:
    before = "def first():\n    return 1\n\n\ndef last():\n    return 9\n"
    search = "    return 1\n\ndef last():\n    return 9\n"
    new = "def middle():\n    return 5\n\n\n"
    wanted = search.replace("def last", new + "def last")
    assert apply(before, block(search, wanted))[0] == before.replace("def last", new + "def last")


def test_new_lines_are_refused_where_a_line_was_left_out_beside_them() -> None:
    before = "first = compute(1)\n# why the limit\nlimit = 10\nlast = compute(9)\n"
    search = "first = compute(1)\nlimit = 10\nlast = compute(9)\n"
    wanted = search.replace("limit = 10", "# a note of its own\nlimit = 20")
    assert refuse(before, block(search, wanted)).code == PatchCode.CONTEXT_NOT_FOUND


def test_a_slip_of_the_pen_in_a_changed_line_is_not_written() -> None:
    before = "    return self.url_rule.endpoint\n\n    def next_method(self):\n"
    search = before.replace("endpoint", "endpoitn")
    wanted = search.replace("endpoitn", "endpoitn  # checked")
    after = before.replace("endpoint", "endpoint  # checked")
    assert apply(before, block(search, wanted))[0] == after


def test_a_line_that_only_resembles_the_one_to_be_deleted_stays() -> None:
    before = "from one import first\nfrom two import safe_call\nfrom three import third\n"
    search = before.replace("safe_call", "safe_join")
    for wanted in (
        search.replace("from two import safe_join\n", ""),
        search.replace("from two import safe_join\nfrom three", "from drei"),
    ):
        assert refuse(before, block(search, wanted)).code == PatchCode.UNCERTAIN


def test_a_line_remembered_with_other_quotes_keeps_its_own() -> None:
    before = 'start = load("a")\nname = compute("b")\nlast = close("c")\n'
    search = before.replace('"', "'")
    wanted = search.replace("compute('b')", "compute('b', safe='x')")
    after = before.replace('compute("b")', 'compute("b", safe="x")')
    assert apply(before, block(search, wanted)) == (after, [Rung.DRIFTED])
    doubtful = search.replace("compute('b')", "compute('b')  # it's safe")
    assert apply(before, block(search, doubtful))[0] == before.replace(
        'compute("b")', 'compute("b")  # it\'s safe'
    )


def test_what_stands_beside_its_place_is_not_added_again() -> None:
    before = "import codecs\nimport email\nimport mimetypes\nimport os\nimport sys\n"
    search = "import codecs\nimport logging\nimport mimetypes\nimport os\n"
    wanted = search.replace("import logging", "import email\nimport logging")
    assert refuse(before, block(search, wanted)).code == PatchCode.CONTEXT_NOT_FOUND


TWINS = (
    "    if closing:\n        if should_render:\n            if new_line:\n"
    "                yield segment\n\n            yield from render(element)\n"
    "{between}"
    "    else:\n        if should_render:\n            if new_line:\n"
    "                yield segment\n            yield from render(element)\n    done()\n"
)


@pytest.mark.parametrize("between", ["", "".join(f"    step_{at}()\n" for at in range(12))])
def test_a_quote_that_takes_lines_of_two_places_is_of_neither(between: str) -> None:
    before = TWINS.format(between=between)
    twice = "            yield from render(element)\n"
    search = (
        "        if should_render:\n            if new_line:\n                yield segment\n"
        + 2 * twice
    )
    wanted = search.replace("if new_line", "if new_line and inline")
    assert refuse(before, block(search, wanted)).code == PatchCode.AMBIGUOUS


def test_dots_that_are_deleted_are_no_lines_left_out() -> None:
    before = "import abc\n\n\ndef first(name):\n    ...\n\n\n# the next one\ndef next(): ...\n"
    search = "def first(name):\n    ...\n\n# the next one\n"
    wanted = search.replace(":\n    ...", ": ...")
    after = before.replace("first(name):\n    ...", "first(name): ...")
    assert apply(before, block(search, wanted)) == (after, [Rung.DRIFTED])
    other = before.replace("    ...\n", "    one()\n    two()\n")
    assert refuse(other, block(search, wanted)).code == PatchCode.CONTEXT_NOT_FOUND


def test_new_lines_behind_lines_left_out_have_no_place() -> None:
    before = "def f():\n    a()\n    b()\n    c()\ndone()\n"
    edits = block("def f():\n    ...\n", "def f():\n    ...\n    new()\n")
    assert refuse(before, edits).code == PatchCode.UNCERTAIN


def test_lines_that_tell_nothing_are_held_by_those_that_they_hang_on() -> None:
    before = "def f():\n    call(\n        first,\n    )\n\n\ndef g():\n    pass\n"
    search = "def f(x):\n    call(\n        first,\n    )\n\n\n"
    wanted = search.replace("    )\n", "    )\n    done()\n")
    assert apply(before, block(search, wanted))[0] == before.replace(
        "    )\n", "    )\n    done()\n"
    )


def test_two_edits_of_the_same_line_are_refused() -> None:
    edits = block("a(1)\nb(2)\n", "c\n") + block("b(2)\n", "d\n")
    assert refuse("a(1)\nb(2)\n", edits).code == PatchCode.OVERLAP


LARGE = "".join(
    f"line {at} of many, with some words to fill it: {at * 7}\n" for at in range(20_000)
)


def test_a_large_file_with_many_hunks_costs_no_alignment() -> None:
    assert len(LARGE) > 1_000_000
    old = LARGE.splitlines(keepends=True)
    hunks = [Hunk((old[at],), (f"new {at}\n",)) for at in range(0, 20_000, 100)]
    lines = FileLines("f", FileText(LARGE, "utf-8"), hunks)
    whole = range(len(old))
    budget = lines.effort_left
    placed = [place_hunk(lines, hunk, whole) for hunk in lines.hunks]
    assert {one.rung for one in placed} == {Rung.EXACT}
    assert lines.effort_left == budget
    spliced = splice_hunks("f", FileText(LARGE, "utf-8"), hunks, ordered=False, ending="\n")
    assert spliced.text.count("\nnew ") == len(hunks) - 1


def test_the_effort_for_one_file_is_bounded() -> None:
    quoted = [f"line {at} of many, with other words to fill it: {at * 7}\n" for at in range(300)]
    hunk = Hunk(tuple(quoted), ("x\n", *quoted[1:]))
    lines = FileLines("f", FileText(LARGE, "utf-8"), [hunk] * 50)
    for asked in lines.hunks:
        with pytest.raises(PatchError):
            place_hunk(lines, asked, range(20_000))
    assert 0 <= lines.effort_left < 100_000
    assert lines.reports_left == 0


def test_a_lone_carriage_return_ends_lines_where_there_is_no_newline() -> None:
    edits = '{"edits": [{"action": "replace", "path": "f", "search": "b", "replace": "c"}]}'
    patch = apply_edits({"f": b"a\rb\r"}, edits, format=EditFormat.STRUCTURED)
    assert patch.changes[0].content == b"a\rc\r"
