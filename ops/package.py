"""The command line of the package: app and libraries in one zip, the same from the same commit.

Files that git knows and `.funcignore` does not leave out, and what was installed into
`.python_packages` (`pip install --require-hashes --target .python_packages/lib/site-packages`).

Exit codes: 0 done, 2 wrong usage, 3 something that the app needs is missing.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LIBRARIES: Final = ".python_packages"
_NEEDED: Final = ("function_app.py", "host.json", "requirements.txt")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name, for every file: when it was written is no part of it."""
_FILE_MODE: Final = 0o100644 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("output", type=Path, metavar="ZIP", help="file to write")
    parser.add_argument(
        "--without-libraries", action="store_true", help="the platform installs them (remote build)"
    )
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Build; answers the exit code."""
    files = list(_list_files(with_libraries=not args.without_libraries))
    missing = [name for name in _NEEDED if name not in files]
    if not args.without_libraries and not any(one.startswith(LIBRARIES) for one in files):
        missing.append(f"{LIBRARIES} (pip install --target {LIBRARIES}/lib/site-packages)")
    if missing:
        sys.stderr.write(f"Missing: {', '.join(missing)}\n")
        return 3
    if not args.output.parent.is_dir():
        sys.stderr.write(f"There is no folder {args.output.parent}\n")
        return 2
    with zipfile.ZipFile(args.output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _FILE_MODE
            archive.writestr(entry, (ROOT / name).read_bytes(), zipfile.ZIP_DEFLATED)
    digest = hashlib.sha256(args.output.read_bytes()).hexdigest()
    if args.json:
        told = {"output": str(args.output), "files": len(files), "sha256": digest}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stderr.write(f"{args.output}: {len(files)} files, sha256 {digest}\n")
    return 0


def _list_files(*, with_libraries: bool) -> Iterator[str]:
    from pathspec import PathSpec

    listed = subprocess.run(  # noqa: S603 - fixed arguments
        ["git", "-C", str(ROOT), "ls-files", "-z"],  # noqa: S607 - git of the PATH
        capture_output=True,
        check=True,
    )
    ignored = PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())
    for name in sorted(listed.stdout.decode().split("\0")):
        if name and not ignored.match_file(name):
            yield name
    libraries = sorted((ROOT / LIBRARIES).rglob("*")) if with_libraries else []
    for path in libraries:
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(ROOT))
