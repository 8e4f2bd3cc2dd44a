"""How often an edit is applied right, wrongly, or not at all: this engine and others, by turns.

Takes any git repositories: their commits' changes are applied to other versions of the same files
(drifted), and to the right version as a bad memory would quote them (damaged). A result that is not
the truth is wrong; a refusal is not. Times are CPU times in one process; a peer that is a program
is not timed.

A file of 1 MB with 200 hunks comes first: the CPU seconds for each of three formats. Then one exact
edit of a file of 43 KB: the median of many, without a check of syntax and with all a job's checks.

Peers that are not installed are left out: `pip install diff-match-patch whatthepatch patch-ng`.
"""

import argparse
import importlib
import importlib.util
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.patch_corpus import Case, list_damaged, list_drifted
from shared.patching.apply import apply_edits
from shared.patching.errors import PatchError
from shared.patching.rules import PatchRules

Apply = Callable[[Case], bytes | None]
"""Answers what the file becomes, or None for a refusal."""


@dataclass
class Tally:
    """What came of one engine's cases."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, case: Case, result: bytes | None, seconds: float) -> None:
        """Count one result."""
        self.seconds.append(seconds)
        if case.truth is None:
            self.counts["conflict refused" if result is None else "conflict applied"] += 1
        elif result is None:
            self.counts["refused"] += 1
        else:
            self.counts["right" if result == case.truth else "wrong"] += 1


def main() -> int:
    """Measure and print; 1 when this engine applied anything wrongly."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.patching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("repository", type=Path, nargs="+")
    parser.add_argument("--cases", type=int, default=100, help="of a kind, from each repository")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    show_large()
    show_exact()
    wrong = 0
    for title, make in (("drifted", list_drifted), ("damaged", list_damaged)):
        cases = [
            case for folder in asked.repository for case in make(folder, asked.cases, asked.seed)
        ]
        if not cases:
            print(f"{title}: no fitting commit found")
            continue
        engines = {"ours": apply_ours}
        if title == "drifted":
            engines |= {"ours, with the base": apply_ours_with_base} | list_peers()
        print(f"\n{title}: {len(cases)} cases")
        for name, apply in engines.items():
            tally = measure(cases, apply)
            show(name, tally)
            if name.startswith("ours"):
                wrong += tally.counts["wrong"]
    return 1 if wrong else 0


def show_large() -> None:
    """Print what a large edit of a large file costs."""
    lines = [f"line {at} of many, with some words to fill it: {at * 7}" for at in range(20_000)]
    file = {"f": ("\n".join(lines) + "\n").encode()}
    places = range(50, 20_000, 100)
    texts = {
        "blocks": "".join(
            f"f\n<<<<<<< SEARCH\n{lines[at]}\n=======\nnew {at}\n>>>>>>> REPLACE\n" for at in places
        ),
        "unified diff": "--- a/f\n+++ b/f\n"
        + "".join(f"@@ -{at + 1} +{at + 1} @@\n-{lines[at]}\n+new {at}\n" for at in places),
        "envelope": "*** Begin Patch\n*** Update File: f\n"
        + "".join(f"@@\n-{lines[at]}\n+new {at}\n" for at in places)
        + "*** End Patch\n",
    }
    print(f"large: {len(file['f']) / 1e6:.1f} MB, {len(places)} hunks")
    for name, edits in texts.items():
        began = time.process_time()
        apply_edits(file, edits)
        print(f"  {name:<22} {time.process_time() - began:.2f} s")


def show_exact(rounds: int = 200) -> None:
    """Print what one exact edit of a file of common size costs."""
    lines = [f"def step_{at}(value):\n    return value + {at}\n" for at in range(960)]
    file = {"f.py": "\n".join(lines).encode()}
    search = lines[480]
    replace = search.replace("value +", "value -")
    edits = f"f.py\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"
    print(f"exact: {len(file['f.py']) / 1e3:.0f} KB, 1 hunk")
    for name, rules in (("alone", PatchRules()), ("as a job", PatchRules.default_for_jobs())):
        seconds: list[float] = []
        for _ in range(rounds):
            began = time.process_time()
            apply_edits(file, edits, rules=rules)
            seconds.append(time.process_time() - began)
        print(f"  {name:<22} {1000 * statistics.median(seconds):.2f} ms")


def measure(cases: Sequence[Case], apply: Apply) -> Tally:
    """Run one engine over all cases."""
    tally = Tally()
    for case in cases:
        began = time.process_time()
        result = apply(case)
        tally.add(case, result, time.process_time() - began)
    return tally


def show(name: str, tally: Tally) -> None:
    """Print one engine's line."""
    counts = tally.counts
    clean = counts["right"] + counts["wrong"] + counts["refused"]
    conflicts = counts["conflict refused"] + counts["conflict applied"]
    line = f"  {name:<22} right {counts['right']:>5} of {clean}"
    line += f" ({100 * counts['right'] / max(1, clean):.1f} %)  wrong {counts['wrong']:>3}"
    if conflicts:
        line += f"  conflicts refused {counts['conflict refused']} of {conflicts}"
    median, worst = statistics.median(tally.seconds), max(tally.seconds)
    print(f"{line}  median {1000 * median:.2f} ms, worst {1000 * worst:.0f} ms")


def apply_ours(case: Case) -> bytes | None:
    """Apply with nothing known but the file."""
    try:
        return apply_edits({case.path: case.file}, case.edits).changes[0].content
    except PatchError:
        return None


def apply_ours_with_base(case: Case) -> bytes | None:
    """Apply to what the edit was written for, and merge into the file."""
    base, file = {case.path: case.base}, {case.path: case.file}
    try:
        return apply_edits(base, case.edits, tip=file).changes[0].content
    except PatchError:
        return None


def list_peers() -> dict[str, Apply]:
    """List the other engines that are there."""
    peers: dict[str, Apply] = {
        "git apply": lambda case: run_in_folder(case, ["git", "apply", "edit.patch"]),
        "git apply -C1": lambda case: run_in_folder(case, ["git", "apply", "-C1", "edit.patch"]),
    }
    if shutil.which("patch"):
        command = ["patch", "-p1", "--batch", "--no-backup-if-mismatch", "-i", "edit.patch"]
        peers["patch -p1"] = lambda case: run_in_folder(case, command)
    if importlib.util.find_spec("whatthepatch"):
        peers["whatthepatch"] = apply_whatthepatch
    if importlib.util.find_spec("diff_match_patch"):
        peers["diff-match-patch"] = apply_diff_match_patch
    if importlib.util.find_spec("patch_ng"):
        peers["patch-ng"] = apply_patch_ng
    return peers


def run_in_folder(case: Case, command: Sequence[str]) -> bytes | None:
    """Run a program on the file and the edit, alone in a folder."""
    with tempfile.TemporaryDirectory() as name:
        file = write_case(Path(name), case)
        done = subprocess.run(command, cwd=name, capture_output=True, check=False)
        return file.read_bytes() if done.returncode == 0 else None


def write_case(folder: Path, case: Case) -> Path:
    """Write the file and the edit into a folder; answers the file."""
    file = folder / case.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(case.file)
    (folder / "edit.patch").write_bytes(case.edits.encode("utf-8", "surrogateescape"))
    return file


def apply_whatthepatch(case: Case) -> bytes | None:
    """Apply with whatthepatch."""
    whatthepatch: Any = importlib.import_module("whatthepatch")
    try:
        diff = next(iter(whatthepatch.parse_patch(case.edits)))
        lines = whatthepatch.apply_diff(diff, case.file.decode())
    except (whatthepatch.exceptions.WhatThePatchException, UnicodeDecodeError):
        return None
    end = "\n" if case.file.endswith(b"\n") else ""
    return ("\n".join(lines) + end).encode()


def apply_diff_match_patch(case: Case) -> bytes | None:
    """Apply with diff-match-patch, which makes its own patch of what was before and after."""
    library: Any = importlib.import_module("diff_match_patch")
    after = apply_ours(Case(case.name, case.path, case.base, case.base, case.edits, None))
    if after is None:
        return None
    engine = library.diff_match_patch()
    text: str
    try:
        patches = engine.patch_make(case.base.decode(), after.decode())
        text, applied = engine.patch_apply(patches, case.file.decode())
    except UnicodeDecodeError:
        return None
    return text.encode() if all(applied) else None


def apply_patch_ng(case: Case) -> bytes | None:
    """Apply with patch-ng."""
    patch_ng: Any = importlib.import_module("patch_ng")

    logging.getLogger("patch_ng").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        file = write_case(Path(name), case)
        patches = patch_ng.fromstring(case.edits.encode("utf-8", "surrogateescape"))
        if not patches or not patches.apply(root=name, strip=0, fuzz=True):
            return None
        return file.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
