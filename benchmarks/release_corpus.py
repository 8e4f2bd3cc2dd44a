"""Makes git repositories of a package's releases, for benchmarks.context.

A case is a release whose changelog has exactly one entry: the entry is the message of a commit, the
release before it the commit's parent. What a release builds is left out (bundles, declarations,
maps), the changelog and files about packaging too; the release's own number is 0.0.0 wherever it
stands, so that nothing changes but what the entry tells of.

Archives come by `npm pack` or `pip download --no-binary`, one at a time, and are only unpacked. pip
asks the package's build backend for its metadata, which runs it.
"""

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_FILE_BYTES: Final = 1_000_000
_STABLE: Final = re.compile(r"\d+(?:\.\d+){1,3}")
_CHANGELOG: Final = re.compile(
    r"^(?:docs?/)?(?:change(?:s|log)|news|history)\.(?:md|rst|txt)$", re.IGNORECASE
)
_BUILT: Final = re.compile(
    r"(?:^|/)(?:_?(?:cjs|esm|types)|dist|build|node_modules|lib\.(?:esm|commonjs)|[\w.-]+\.(?:egg|dist)-info)/"
    r"|\.(?:map|min\.js|d\.[cm]?ts|pyc)$|(?:^|/)PKG-INFO$"
    r"|(?:^|/)(?:setup\.py|_?version\.(?:py|[jt]s)|docs?/(?:source/)?conf\.py)$|(?:^|/)\.[\w-]+_cache/"
)
"""What is built, and what every release changes whatever its entry tells of."""
_HEADING: Final = re.compile(
    r"^(?:#{1,4} |(?=[^\n]*\n[=~^-]{3}))[^\d\n]{0,30}(\d+(?:\.\d+){1,3})(?![\w.])[^\n]*\n",
    re.MULTILINE,
)
_ENTRY: Final = re.compile(r"^ ?[-*+] +", re.MULTILINE)
# what an entry has and a commit's message has not: addresses, samples, links, thanks, underlines
_MARKUP: Final = (
    (re.compile(r"\(\S+@\S+\)|^[0-9a-f]{7,40}: "), ""),
    (re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL), ""),
    (re.compile(r"\[`[0-9a-f]{7,40}`\]\([^)]*\)|\[#\d+\]\([^)]*\)|Thanks \[[^)]*\)!"), ""),
    (re.compile(r"\(\[[0-9a-f#]{2,40}\]\([^)]*\)\)|\(?#\d+\)?|\[@[\w-]+\](?:\([^)]*\))?"), ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (
        re.compile(
            r":(?:pr|issue|pull|user|gh):`[^`]*`|Thanks,? @[\w-]+\.?|(?<![`\w])\(?@[\w-]+\)?|<?https?://\S+"
        ),
        "",
    ),
    (re.compile(r":[a-z:]+:`~?([^`]*)`|``([^`]*)``"), r"`\1\2`"),
    (re.compile(r"^[=~^-]{3,}$|^#+ .*$|^[\w ]{3,30}\n[-~^\"]{3,}$", re.MULTILINE), ""),
)


@dataclass(frozen=True, slots=True)
class Release:
    """A version, the one before it, and the only entry of its changelog."""

    version: str
    before: str
    entry: str


def main() -> int:
    """Make a repository for each package that is named."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.release_corpus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, help="where the repositories go")
    parser.add_argument("packages", nargs="+", metavar="npm:NAME[@VERSION]|pip:NAME")
    parser.add_argument("--cases", type=int, default=40, metavar="N", help="newest per package")
    parser.add_argument("--sources", action="store_true", help="no wheels of Python packages")
    parser.add_argument("--pip", default="pip", help="a pip whose environment has build backends")
    arguments = parser.parse_args()
    for package in arguments.packages:
        registry, _, name = package.partition(":")
        source = (
            NpmPackage(name)
            if registry == "npm"
            else PipPackage(name, arguments.pip, sources_only=arguments.sources)
        )
        made = make_repository(arguments.directory, source, arguments.cases)
        print(f"{package}: {made} releases with one entry", flush=True)
    return 0


class NpmPackage:
    """A package of the npm registry."""

    def __init__(self, name: str) -> None:
        scope, name = name[:1], name[1:]  # the first may be the @ of a scope
        bare, _, newest = name.partition("@")
        self.name, self.newest = scope + bare, newest or "latest"

    def list_versions(self) -> list[str]:
        """List the versions that are published."""
        told = json.loads(_run("npm", "view", self.name, "versions", "--json"))
        return [told] if isinstance(told, str) else list(map(str, told))

    def fetch(self, versions: Sequence[str], folder: Path) -> None:
        """Fetch archives; a version that is not there is passed."""
        wanted = [f"{self.name}@{version}" for version in versions]
        for place in range(0, len(wanted), 20):
            options = ("--silent", "--pack-destination", str(folder))
            _try("npm", "pack", *wanted[place : place + 20], *options)


class PipPackage:
    """A package of the Python index: its newest sources for the changelog, else wheels.

    With `sources_only` releases come as sources too, which hold tests more often than wheels do.
    """

    def __init__(self, name: str, pip: str, *, sources_only: bool) -> None:
        self.name, self.newest, self._pip = name, "", pip
        self._sources_only = sources_only

    def list_versions(self) -> list[str]:
        """List the versions that are published."""
        told = _run(self._pip, "index", "versions", self.name, "--ignore-requires-python")
        return re.findall(r"[\w.+!-]+", told.partition("Available versions:")[2].partition("\n")[0])

    def fetch(self, versions: Sequence[str], folder: Path) -> None:
        """Fetch archives; a version that is not there, or has no wheel, is passed."""
        options = ("--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(folder))
        sources = ("--no-binary=:all:", "--no-build-isolation")
        for version in versions:
            kind = sources if self._sources_only or not version else ("--only-binary=:all:",)
            wanted = f"{self.name}=={version}" if version else self.name
            _try(self._pip, "download", *options, "--ignore-requires-python", *kind, wanted)


def make_repository(directory: Path, package: NpmPackage | PipPackage, limit: int) -> int:
    """Make the repository of a package; answer how many of its commits are cases."""
    home = directory / package.name.replace("/", "_").lstrip("@")
    home.mkdir(parents=True)
    _run("git", "-C", str(home), "init", "--quiet", "--initial-branch=main")
    with tempfile.TemporaryDirectory() as folder:
        package.fetch([package.newest], Path(folder))
        changelog = _read_changelog(_unpack(next(Path(folder).iterdir())))
        versions = sorted(filter(_STABLE.fullmatch, package.list_versions()), key=_order)
        releases = list(_find_releases(changelog, versions))[-limit:]
        package.fetch(sorted({v for r in releases for v in (r.before, r.version)}), Path(folder))
        archives = {
            version: path
            for version in versions
            for path in Path(folder).glob(f"*-{version}[.-][tpc]*")
        }
        made, last = 0, ""
        for release in releases:
            if release.before in archives and release.version in archives:
                if last != release.before:
                    _commit(home, _unpack(archives[release.before]), release.before, ".")
                last = release.version
                _commit(home, _unpack(archives[last]), last, release.entry)
                made += 1
    return made


def _find_releases(changelog: str, versions: list[str]) -> Iterator[Release]:
    """Find the releases of one entry, the oldest first."""
    sections: dict[str, str] = {}
    headings = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    for heading, end in zip(headings, ends, strict=False):
        sections.setdefault(heading[1], changelog[heading.end() : end])
    for place, version in enumerate(versions[1:]):
        entries = [
            text
            for part in _ENTRY.split(sections.get(version, ""))[1:]
            if not (text := clean_entry(part)).startswith("Updated dependencies")
        ]
        if len(entries) == 1 and len(entries[0].split()) >= 3:
            yield Release(version, versions[place], entries[0])


def clean_entry(text: str) -> str:
    """Take links, hashes and thanks from an entry and make it one line, as a commit has it."""
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    return " ".join(text.split()).strip(" -—;,")


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _unpack(path: Path) -> Mapping[str, bytes]:
    """Read the files of an archive, path (below its only folder in a tarball) to content."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return {
                member.filename: wheel.read(member)
                for member in wheel.infolist()
                if not member.is_dir() and member.file_size <= MAX_FILE_BYTES
            }
    files: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            inner = member.name.removeprefix("./").partition("/")[2]
            if inner and member.isreg() and member.size <= MAX_FILE_BYTES:
                opened = archive.extractfile(member)
                files[inner] = opened.read() if opened else b""
    return files


def _read_changelog(files: Mapping[str, bytes]) -> str:
    paths = sorted(filter(_CHANGELOG.search, files), key=lambda path: -len(files[path]))
    return files[paths[0]].decode("utf-8", "replace").replace("\r\n", "\n") if paths else ""


def _commit(home: Path, files: Mapping[str, bytes], version: str, message: str) -> None:
    """Commit the files without what is built and without the version's own number."""
    stream = [b"commit refs/heads/main\n"]
    text = message.encode()
    stream.append(b"committer corpus <> 0 +0000\ndata %d\n%s\n" % (len(text), text))
    if (home / ".git/refs/heads/main").exists():
        stream.append(b"from refs/heads/main^0\n")
    stream.append(b"deleteall\n")
    for path, content in sorted(files.items()):
        if _BUILT.search(path) or _CHANGELOG.search(path):
            continue
        plain = content.replace(version.encode(), b"0.0.0")
        stream.append(b'M 100644 inline "%s"\ndata %d\n' % (path.encode(), len(plain)))
        stream.append(plain + b"\n")
    subprocess.run(
        ["git", "-C", str(home), "fast-import", "--quiet", "--force"],
        input=b"".join(stream),
        check=True,
    )


def _try(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=False)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
