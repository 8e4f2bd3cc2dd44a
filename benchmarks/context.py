"""How well a request finds the files to change: recall on commits, against plain BM25, and time.

A commit's message is the request; the files of its parent are ranked; right are the source files
that the commit changed, tests aside. Recall@k is the part of them among the first k, averaged over
commits that change 1 to 5 such files. Commits whose message has fewer than three words are passed.

The rivals: BM25 as rank-bm25 has it (Okapi, k1 1.5, b 0.75) over unsplit words of the contents; and
the same over split words of contents and paths, with the scores of tests halved.

With --size the files are made up instead, and memory is measured too.
"""

import argparse
import math
import random
import re
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from typing_extensions import override

from shared.context.cards import CardCache
from shared.context.commits import CommitFiles, GitRepository
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.paths import describe_path
from shared.context.ranking import rank_files
from shared.context.request import ContextRequest
from shared.context.visibility import decode_text, may_show_path
from shared.context.words import split_words

DEPTHS: Final = (1, 5, 10)
MAX_CHANGED: Final = 5
MADE_UP_BYTES: Final = 8_000


@dataclass(frozen=True, slots=True)
class Case:
    """A commit as a question with its answer."""

    parent: str
    message: str
    changed: frozenset[str]


@dataclass(slots=True)
class Tally:
    """Recalls and times of one way to rank."""

    recalls: list[tuple[float, ...]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, case: Case, ranking: Sequence[str], seconds: float) -> None:
        """Count one ranking."""
        self.recalls.append(
            tuple(
                len(case.changed.intersection(ranking[:depth])) / len(case.changed)
                for depth in DEPTHS
            )
        )
        self.seconds.append(seconds)

    def render(self, name: str) -> str:
        """Write a row of the table."""
        means = (100 * statistics.mean(recall) for recall in zip(*self.recalls, strict=True))
        median_ms = 1000 * statistics.median(self.seconds)
        return f"{name:<12}" + "".join(f"{mean:>7.1f}" for mean in means) + f"{median_ms:>11.0f}"


class WordCounts:
    """Words of blobs, counted once, for the rivals."""

    def __init__(self, split: Callable[[str], Sequence[str]]) -> None:
        self._split = split
        self._counts: dict[str, Counter[str] | None] = {}

    def count(self, files: CommitFiles, path: str) -> Counter[str] | None:
        """Count the words of a file; None where there is no text to show."""
        blob_id = files.blob_ids[path]
        if blob_id not in self._counts:
            text = decode_text(files[path])
            self._counts[blob_id] = None if text is None else Counter(self._split(text))
        return self._counts[blob_id]


def main() -> int:
    """Measure each repository and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.context",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("repositories", type=Path, nargs="*", metavar="DIR")
    parser.add_argument("--commits", type=int, default=50, metavar="N", help="per repository")
    parser.add_argument("--ours-only", action="store_true", help="leave the rivals out")
    parser.add_argument("--size", type=int, nargs=2, metavar=("FILES", "MB"))
    arguments = parser.parse_args()
    if arguments.size:
        measure_size(*arguments.size)
        return 0
    tallies = {"ours": Tally()}
    if not arguments.ours_only:
        tallies |= {"BM25": Tally(), "BM25 split": Tally()}
    indexing: list[float] = []
    for directory in arguments.repositories:
        cases = list(find_cases(directory, arguments.commits))
        if cases:
            files, seconds = measure_repository(directory, cases, tallies)
            indexing.append(seconds)
            print(
                f"{directory.name}: {len(cases)} commits, {files} files, indexed in {seconds:.1f} s"
            )
    if not indexing:
        print("no commit with a message that changes 1 to 5 source files")
        return 1
    print(f"\n{len(tallies['ours'].recalls)} commits   R@1    R@5   R@10  median ms")
    for name, tally in tallies.items():
        print(tally.render(name))
    return 0


def find_cases(directory: Path, limit: int) -> Iterator[Case]:
    """List the newest commits that are questions with an answer."""
    log = subprocess.run(
        [
            *("git", "-c", "core.quotePath=false", "-C", str(directory), "log", "--no-merges"),
            *("--no-renames", "--name-status", "--format=%x01%P%x00%B%x00"),
        ],
        capture_output=True,
        check=True,
    ).stdout.decode("utf-8", "replace")
    found = 0
    for record in log.split("\x01")[1:]:
        parents, message, names = record.split("\0", 2)
        rows = (row.split("\t", 1) for row in names.strip().splitlines() if "\t" in row)
        changed = frozenset(path for kind, path in rows if kind in "MD" and is_counted(path))
        said = len(re.findall(r"[^\W\d_]{3,}", message)) >= 3
        if parents and said and 1 <= len(changed) <= MAX_CHANGED:
            yield Case(parents.split()[0], message.strip(), changed)
            found += 1
            if found == limit:
                return


def is_counted(path: str) -> bool:
    """Answer whether a changed file should be found: source, no test, nothing vendored."""
    facts = describe_path(path)
    return facts.is_source and not facts.is_test and may_show_path(path)


def measure_repository(
    directory: Path, cases: Sequence[Case], tallies: Mapping[str, Tally]
) -> tuple[int, float]:
    """Rank each case in each way; answer the number of files and how long indexing them took."""
    cards = CardCache()
    unsplit, split = WordCounts(list_unsplit), WordCounts(split_words)
    with GitRepository(directory) as repository:
        begun = time.perf_counter()
        files = repository.open_commit(cases[0].parent)
        index = build_index(files, blob_ids=files.blob_ids, cards=cards)
        first_index_s = time.perf_counter() - begun
        for case in cases:
            files = repository.open_commit(case.parent)
            build_index(files, blob_ids=files.blob_ids, cards=cards)  # what the commit changed
            begun = time.perf_counter()
            index = build_index(files, blob_ids=files.blob_ids, cards=cards)
            ranked = rank_files(index, ContextRequest(case.message, "", "", ()))
            seconds = time.perf_counter() - begun
            tallies["ours"].add(case, [file.path for file in ranked], seconds)
            if "BM25" in tallies:
                begun = time.perf_counter()
                ranking = rank_plainly(
                    files, list_unsplit(case.message), unsplit, paths_count=False
                )
                tallies["BM25"].add(case, ranking, time.perf_counter() - begun)
                begun = time.perf_counter()
                ranking = rank_plainly(files, split_words(case.message), split, paths_count=True)
                tallies["BM25 split"].add(case, ranking, time.perf_counter() - begun)
    return len(index.entries), first_index_s


class MadeUpFiles(Mapping[str, bytes]):
    """Files with some 50,000 different names, made when they are asked for; their ends repeat."""

    def __init__(self, count: int, total_bytes: int) -> None:
        self.made_s = 0.0
        """CPU seconds that making the contents took."""
        self._size_bytes = total_bytes // count
        self._numbers = {
            f"src/area{number % 97}/part{number % 1009}/Module{number}.ts": number
            for number in range(count)
        }

    @override
    def __getitem__(self, path: str) -> bytes:
        begun = time.process_time()
        chance = random.Random(self._numbers[path])  # noqa: S311  nothing secret
        lines: list[str] = []
        left = min(MADE_UP_BYTES, self._size_bytes)
        while left > 0:
            one, other = (int(chance.paretovariate(0.35)) % 50_000 for _ in range(2))
            lines.append(f"  const value{one} = computeOther{other}(item{other % 977}, {one});\n")
            left -= len(lines[-1])
        whole = "".join(lines) * (self._size_bytes // MADE_UP_BYTES + 1)
        content = whole.encode()[: self._size_bytes]
        self.made_s += time.process_time() - begun
        return content

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    @override
    def __len__(self) -> int:
        return len(self._numbers)


def measure_size(count: int, megabytes: int) -> None:
    """Index, rank and pack made-up files; print CPU seconds and the peak of resident memory."""
    files = MadeUpFiles(count, megabytes * 1_000_000)
    request = ContextRequest("compute value 17 before other 42 in part 5", "", "", ())
    times = [time.process_time()]
    index = build_index(files)
    times.append(time.process_time() - files.made_s)
    made_s = files.made_s
    rank_files(index, request)
    times.append(time.process_time() - made_s)
    build_context(files, index, request, budget_tokens=60_000)
    times.append(time.process_time() - files.made_s)
    names = ("index", "rank", "rank and pack")
    spent = ", ".join(
        f"{name} {end - begin:.2f} s"
        for name, (begin, end) in zip(names, pairwise(times), strict=True)
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} files, {megabytes} MB, CPU: {spent}; {index.unread} read in part")
    print(f"resident memory at its peak: {peak_mb:.0f} MB")


def list_unsplit(text: str) -> list[str]:
    """List the words of a text as they are, in lower case."""
    return re.findall(r"\w+", text.lower())


def rank_plainly(
    files: CommitFiles, asked: Sequence[str], counts: WordCounts, *, paths_count: bool
) -> list[str]:
    """Rank by BM25; with `paths_count` the path's words are text and tests count half."""
    documents = {
        path: counted
        for path in sorted(files)
        if may_show_path(path) and (counted := counts.count(files, path)) is not None
    }
    none: Counter[str] = Counter()
    names = {path: Counter(split_words(path)) if paths_count else none for path in documents}
    lengths = {path: counted.total() + names[path].total() for path, counted in documents.items()}
    mean = max(1.0, sum(lengths.values()) / max(1, len(lengths)))
    scores = dict.fromkeys(documents, 0.0)
    for word in dict.fromkeys(asked):
        counts_by_path = {
            path: count
            for path, counted in documents.items()
            if (count := counted[word] + names[path][word])
        }
        having = len(counts_by_path)
        rarity = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        for path, count in counts_by_path.items():
            norm = 1.5 * (0.25 + 0.75 * lengths[path] / mean)
            scores[path] += rarity * count * 2.5 / (count + norm)
    for path in scores:
        if paths_count and describe_path(path).is_test:
            scores[path] /= 2
    return sorted(scores, key=lambda path: (-scores[path], path))


if __name__ == "__main__":
    sys.exit(main())
