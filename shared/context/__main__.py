"""A dry run of the ranking and packing: JSON lines in, JSON lines out.

In:   {"files": {path: text}, "request": {"text", "title", "description", "changed_paths",
       "thread_path", "thread_lines"}, "budget_tokens": 8000}
Out:  {"ranked": [{"path", "score", "why"}], "text", "tokens"}  or  {"error": …}
"""

import argparse
import json
import sys
from typing import Any

from shared.context.pack import build_context, estimate_tokens
from shared.context.ranking import ContextRequest, build_index, rank_files


def run_line(line: str) -> dict[str, Any]:
    """Answer one request, or say what is wrong with it."""
    try:
        order = json.loads(line)
        files = {str(path): str(text).encode() for path, text in order["files"].items()}
        asked = order["request"]
        lines = asked.get("thread_lines")
        request = ContextRequest(
            text=str(asked["text"]),
            title=str(asked.get("title", "")),
            description=str(asked.get("description", "")),
            changed_paths=tuple(asked.get("changed_paths", ())),
            thread_path=asked.get("thread_path"),
            thread_lines=(int(lines[0]), int(lines[1])) if lines else None,
        )
        budget = int(order.get("budget_tokens", 8000))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        return {"error": f"not a request: {type(error).__name__}: {error}"}
    index = build_index(files)
    text = build_context(files, index, request, budget_tokens=budget).render()
    ranked = [
        {"path": file.path, "score": file.score, "why": list(file.why)}
        for file in rank_files(index, request)
    ]
    return {"ranked": ranked, "text": text, "tokens": estimate_tokens(text)}


def main() -> int:
    """Read requests from standard input, one on a line."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.context",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    for line in sys.stdin:
        if line.strip():
            sys.stdout.write(json.dumps(run_line(line), ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
