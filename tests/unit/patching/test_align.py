"""How a quote is laid beside a file."""

from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.patching.align import GAP, NOWHERE, RUN, SKIP, Cells, align
from shared.patching.lines import FileLines
from shared.patching.script import Hunk
from shared.patching.sound import Quote
from shared.patching.text import FileText
from shared.patching.vicinity import list_vicinities, weigh

LIKENESS = st.sampled_from([1.0, 0.8, 0.5])
ROW = st.dictionaries(st.integers(0, 5), LIKENESS, max_size=3).map(
    lambda cells: sorted(cells.items())
)


def value(cells: list[Cells], weights: list[float], pairs: tuple[int, ...]) -> float:
    """Tell what an alignment is worth by what is written about it, not by how it is found."""
    total, before = 0.0, None
    for row, (line, weight) in enumerate(zip(pairs, weights, strict=True)):
        if line == NOWHERE:
            total -= GAP * weight
            continue
        if before is not None:
            total -= SKIP * (line - before[1] - 1)
            if before == (row - 1, line - 1):
                total += RUN * min(weight, weights[row - 1]) + RUN / 20
        total += weight * dict(cells[row])[line]
        before = (row, line)
    return total


def is_increasing(pairs: tuple[int, ...]) -> bool:
    found = [line for line in pairs if line != NOWHERE]
    return all(above < below for above, below in pairwise(found))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ROW, st.sampled_from([0.01, 0.3, 1.0])), min_size=1, max_size=5))
def test_no_alignment_is_better_than_the_one_that_is_found(
    rows: list[tuple[list[tuple[int, float]], float]],
) -> None:
    cells: list[Cells] = [row for row, _ in rows]
    weights = [weight for _, weight in rows]
    found = align(cells, weights)
    every = product(*([NOWHERE, *(line for line, _ in row)] for row in cells))
    best = max(value(cells, weights, pairs) for pairs in every if is_increasing(pairs))
    assert is_increasing(found.pairs)
    assert abs(value(cells, weights, found.pairs) - best) < 1e-9


def test_of_places_that_are_supported_alike_none_is_left_out() -> None:
    block = "".join(f"    step_{at}(given, wanted)\n" for at in range(4))
    text = "".join(f"def f_{at}():\n{block}" + "\n" * 40 for at in range(8))
    old = ("    step_0(given, wanted)\n", "    lost()\n", "    step_2(given, wanted)\n")
    lines = FileLines("f", FileText(text, "utf-8"), [Hunk(old, (*old, "    new()\n"))])
    asked = lines.hunks[0]
    searched = asked.old.folded
    weights, telling = weigh(searched, lines.places)
    quote = Quote(
        searched,
        asked.new.folded,
        weights,
        telling,
        asked.script,
        range(lines.text.count),
        lines.folded,
        lines.places,
    )
    assert len(list_vicinities(quote, lines)) == 8
