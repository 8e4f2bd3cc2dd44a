"""A dry run of the ranking and packing: JSON lines in, JSON lines out.

Without --repo the files are part of each line:
    in   {"files": {path: text}, "request": {"text", "title", "description", "changed_paths",
         "changed_lines": {path: [[first, last]]}, "thread_path", "thread_lines"},
         "budget_tokens": 8000}
    out  {"ranked": [{"path", "score", "why"}], "text", "tokens"}

With --repo DIR they are those of a commit of that git repository:
    in   {"commit": name, "request": text, or an object as above}
    out  {"ranking": [path, …]}  the best first

A line that cannot be answered is answered {"error": …}; the next one is read all the same.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.context.cards import CardCache
from shared.context.commits import CommitError, GitRepository
from shared.context.index import build_index
from shared.context.pack import build_context, estimate_tokens
from shared.context.ranking import rank_files
from shared.context.request import ContextRequest


def answer_order(order: Any) -> dict[str, Any]:
    """Rank and pack the files of an order.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, IndexError: it is no such order.
    """
    files = {str(path): _encode(text) for path, text in order["files"].items()}
    request = _read_request(order["request"])
    budget_tokens = int(order.get("budget_tokens", 8000))
    pack = build_context(files, build_index(files), request, budget_tokens=budget_tokens)
    text = pack.render()
    ranked = [
        {"path": file.path, "score": file.score, "why": list(file.why)} for file in pack.ranked
    ]
    return {"ranked": ranked, "text": text, "tokens": estimate_tokens(text)}


def answer_commit(
    repository: GitRepository, cards: CardCache, order: Any, top: int
) -> dict[str, Any]:
    """Rank the files of a commit.

    Raises:
        CommitError: the commit or one of its blobs is not there.
        ValueError, KeyError, TypeError, AttributeError, IndexError: it is no such order.
    """
    request = _read_request(order["request"])
    files = repository.open_commit(str(order["commit"]))
    index = build_index(files, blob_ids=files.blob_ids, cards=cards)
    return {"ranking": [file.path for file in rank_files(index, request)[:top]]}


def _read_request(asked: Any) -> ContextRequest:
    if isinstance(asked, str):
        return ContextRequest(text=asked, title="", description="", changed_paths=())
    lines = asked.get("thread_lines")
    thread_path = asked.get("thread_path")
    return ContextRequest(
        text=str(asked["text"]),
        title=str(asked.get("title", "")),
        description=str(asked.get("description", "")),
        changed_paths=tuple(map(str, asked.get("changed_paths", ()))),
        thread_path=None if thread_path is None else str(thread_path),
        thread_lines=(int(lines[0]), int(lines[1])) if lines else None,
        changed_lines={
            str(path): [(int(first), int(last)) for first, last in ranges]
            for path, ranges in asked.get("changed_lines", {}).items()
        },
    )


def _encode(text: Any) -> bytes:
    return str(text).encode("utf-8", "replace")


def _answer_lines(answer: Callable[[Any], dict[str, Any]]) -> None:
    """Answer standard input line by line, whatever stands there."""
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            answered = answer(json.loads(line))
        except (CommitError, OSError) as error:
            answered = {"error": f"not a commit: {error}"}
        except (
            *(ValueError, KeyError, TypeError, AttributeError, IndexError),
            *(OverflowError, RecursionError),
        ) as error:
            answered = {"error": f"not a request: {type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answered) + "\n")
        sys.stdout.flush()


def main() -> int:
    """Read orders from standard input, one on a line."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.context",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repo", type=Path, metavar="DIR", help="git repository of the commits")
    parser.add_argument(
        "--top", type=int, default=1000, metavar="N", help="length of a ranking with --repo"
    )
    arguments = parser.parse_args()
    if arguments.repo is None:
        _answer_lines(answer_order)
        return 0
    cards = CardCache()
    with GitRepository(arguments.repo) as repository:
        _answer_lines(lambda order: answer_commit(repository, cards, order, arguments.top))
    return 0


if __name__ == "__main__":
    sys.exit(main())
