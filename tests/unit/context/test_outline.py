import pytest

from shared.context.index import build_index
from shared.context.outline import find_signatures
from shared.context.pack import build_context, estimate_tokens
from shared.context.request import ContextRequest

PYTHON = '''import os

@cached
def first(
    one,
    other,
):
    inner = 1
    def hidden(): ...

class Second(Base):
    """Doc."""
    def method(self):
        return 1
'''
CSHARP = """namespace Shop;
public class Cart
{
    private int count;
    public int Total(int tax)
    {
        return count;
    }
}
"""
TYPESCRIPT = """export interface Item { price: number }
export class Cart {
  total(tax: number): number {
    return tax;
  }
}
"""


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("a.py", PYTHON, ["def first(", "    one,", "    other,", "):"]),
        ("a.py", PYTHON, ["class Second(Base):", "    def method(self):"]),
        ("a.cs", CSHARP, ["public class Cart", "    public int Total(int tax)"]),
        ("a.ts", TYPESCRIPT, ["export class Cart {", "  total(tax: number): number {"]),
        (
            "a.go",
            "package a\n\nfunc (c Cart) Total() int {\n\treturn 1\n}\n",
            ["func (c Cart) Total() int {"],
        ),
        ("a.unknown", "def a(): ...", []),
    ],
)
def test_signatures_are_found_and_bodies_are_not(path: str, text: str, lines: list[str]) -> None:
    found = [text.split("\n")[at] for at in find_signatures(path, text)]
    assert set(lines) <= set(found)
    assert not [line for line in found if "inner" in line or "hidden" in line or "return" in line]


def test_a_large_file_is_shown_by_its_signatures_and_what_the_thread_is_about() -> None:
    bodies = "".join(f"def part_{at}():\n    step = {at}\n\n\n" for at in range(800))
    files = {"big.py": bodies.encode()}
    request = ContextRequest("rename it", "", "", (), "big.py", (2002, 2002))
    text = build_context(files, build_index(files), request, budget_tokens=3000).render()
    assert "# big.py (signatures and excerpts)" in text
    assert " 2002     step = 500\n" in text
    assert "    1 def part_0():\n" in text
    assert "    2     step = 0\n" not in text


def test_lines_that_the_pull_request_changes_are_shown() -> None:
    files = {"big.txt": b"".join(b"text %d\n" % at for at in range(3000))}
    request = ContextRequest(
        "undo it", "", "", ("big.txt",), changed_lines={"big.txt": [(1500, 1501)]}
    )
    text = build_context(files, build_index(files), request, budget_tokens=1000).render()
    assert " 1500 text 1499\n" in text


def test_every_change_is_begun_before_more_of_one_is_shown() -> None:
    lines = [f"text {at}" for at in range(3000)]
    files = {"big.txt": "\n".join(lines).encode()}
    changed = {"big.txt": [(100, 1100), (2000, 1999), (2990, 2995)]}
    request = ContextRequest("undo it", "", "", ("big.txt",), changed_lines=changed)
    text = build_context(files, build_index(files), request, budget_tokens=3000).render()
    assert "(changed by the pull request: 100-1100, removed before 2000, 2990-2995)\n" in text
    for shown in (100, 101, 1999, 2000, 2990, 2995):
        assert f"{shown:>5} text {shown - 1}\n" in text
    assert " 1100 text" not in text


def test_what_is_told_of_changes_is_bounded_and_counts() -> None:
    files = {"big.txt": b"".join(b"text %d\n" % at for at in range(3000))}
    changed = {"big.txt": [(at, at) for at in range(1, 2999, 3)]}
    request = ContextRequest("undo it", "", "", ("big.txt",), changed_lines=changed)
    text = build_context(files, build_index(files), request, budget_tokens=1000).render()
    assert "(changed by the pull request: 1, 4, 7, " in text
    assert ", 58, …)\n" in text
    assert estimate_tokens(text) <= 1000
