from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from shared.context.cards import DEFINED, CardCache, find_count, name_blob, read_card
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.ranking import rank_files
from shared.context.request import ContextRequest
from shared.context.words import number_name

ASK = ContextRequest("close the drawer when payment_failed", "Till", "", ())
TILL = {
    "src/till/drawer.py": b"class Drawer:\n    def close(self): ...\n",
    "src/till/payment.py": b"from src.till import drawer\npayment_failed = 1\n",
    "src/till/receipt.py": b"paper = 1\n",
}


class CountingFiles(Mapping[str, bytes]):
    """Files that remember which of them were read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.read: list[str] = []

    @override
    def __getitem__(self, path: str) -> bytes:
        self.read.append(path)
        return self._files[path]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    @override
    def __len__(self) -> int:
        return len(self._files)


def test_a_second_commit_reads_only_what_changed() -> None:
    cards = CardCache()
    changed = {**TILL, "src/till/receipt.py": b"paper = 2\n"}
    for files, expected in ((TILL, sorted(TILL)), (changed, ["src/till/receipt.py"])):
        counting = CountingFiles(files)
        blob_ids = {path: name_blob(content) for path, content in files.items()}
        index = build_index(counting, blob_ids=blob_ids, cards=cards)
        assert sorted(counting.read) == expected
        assert rank_files(index, ASK) == rank_files(build_index(files), ASK)


@pytest.mark.parametrize(
    ("line", "name", "is_defined"),
    [
        ("    public async Task<T> FindAsync<T, U>(int id)", "FindAsync", True),
        ("    internal T Get<T>() where T : class", "Get", True),
        ("    private Dictionary<string, int> map;", "map", True),
        ("    private Dictionary<string, int> map;", "Dictionary", False),
        ("public readonly record struct Point(int X);", "Point", True),
        ("enum class Color {", "Color", True),
        ("export default function close(drawer) {", "close", True),
        ("    return close(drawer)", "close", False),
    ],
)
def test_definitions_are_told_by_their_lines(line: str, name: str, *, is_defined: bool) -> None:
    card = read_card(f"{line}\n".encode())
    mark = find_count(card.names, card.name_counts, number_name(name))
    assert bool(mark & DEFINED) is is_defined


def test_git_would_name_the_blob_so() -> None:
    assert name_blob(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_a_small_cache_forgets_and_changes_nothing() -> None:
    cards = CardCache(max_bytes=1)
    assert rank_files(build_index(TILL, cards=cards), ASK) == rank_files(build_index(TILL), ASK)
    assert cards.find(name_blob(TILL["src/till/drawer.py"])) is None


def test_too_much_is_read_in_part_and_said() -> None:
    files = {f"part{at}.py": b"first = 1\n" + b"x = 1\n" * 1000 + b"last\n" for at in range(40)}
    index = build_index(files, max_total_bytes=80_000)
    assert index.unread == 40
    assert rank_files(index, ContextRequest("first", "", "", ()))
    assert not rank_files(index, ContextRequest("last", "", "", ()))
    text = build_context(files, index, ASK, budget_tokens=1000).render()
    assert "(40 files were searched in part: there is too much)\n" in text


def test_a_file_that_may_not_be_read_at_all_is_known_by_its_path() -> None:
    ranked = rank_files(build_index(TILL, max_total_bytes=0), ASK)
    assert {file.path: file.why for file in ranked}["src/till/drawer.py"] == ("file name", "words")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20),
        st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
        max_size=6,
    ),
    st.text(max_size=200),
    st.text(max_size=50),
)
def test_any_bytes_and_any_request_are_ranked_and_packed(
    files: dict[str, bytes], text: str, title: str
) -> None:
    request = ContextRequest(text, title, text, tuple(files), next(iter(files), None), (-3, 10**9))
    index = build_index(files)
    ranked = rank_files(index, request)
    assert ranked == rank_files(build_index(dict(reversed(files.items()))), request)
    assert {file.path for file in ranked} <= set(files)
    build_context(files, index, request, budget_tokens=500).render().encode("utf-8", "replace")


def test_hostile_lines_are_read_in_linear_time() -> None:
    # each would take a backtracking pattern hours
    for line in ("public " * 700, "func (" * 800, "import" + " " * 4900, "a" * 4999, "def " * 1200):
        content = f"{line}\n".encode() * 190
        assert read_card(content).length >= 0
