"""Finds which stylesheets the pages of a repository load, and how many pages load each. Pure."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

_LINK: Final = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_IS_SHEET: Final = re.compile(r"\brel\s*=\s*[\"']?[^\"'>]*\bstylesheet\b", re.IGNORECASE)
_HREF: Final = re.compile(r"\bhref\s*=\s*[\"']?([^\"'\s>?#]+)", re.IGNORECASE)
_IMPORT: Final = re.compile(
    r"@(?:import|use|forward)\s+(?:url\(\s*)?[\"']?([^\"')\s;?#]+)", re.IGNORECASE
)
_SOURCES: Final = (".scss", ".less")


def count_pages(pages: Mapping[str, str], sheets: Mapping[str, str]) -> Counter[str]:
    """Count for each stylesheet the pages that load it, itself or through another one.

    A source (SCSS, Less) counts like the stylesheet of its name, which is made from it.

    Args:
        pages: path to HTML.
        sheets: path to CSS, SCSS or Less.
    """
    counts: Counter[str] = Counter()
    for page, html in pages.items():
        loaded: set[str] = set()
        waiting = [target for href in _list_links(html) for target in _find(page, href, sheets)]
        while waiting:
            sheet = waiting.pop()
            if sheet not in loaded:
                loaded.add(sheet)
                named = _IMPORT.findall(sheets[sheet])
                waiting.extend(target for name in named for target in _find(sheet, name, sheets))
        counts.update(loaded)
    return counts


def _list_links(html: str) -> Iterator[str]:
    for tag in _LINK.findall(html):
        href = _HREF.search(tag)
        if href and _IS_SHEET.search(tag):
            yield href[1]


def _find(origin: str, href: str, sheets: Mapping[str, str]) -> Iterator[str]:
    """Give the stylesheets that an address means; from the root of a site, wherever that lies."""
    is_rooted = href.startswith("/")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), href))
    wanted = _forget_source(href if is_rooted else path)
    for sheet in sheets:
        known = _forget_source(sheet)
        is_source = sheet.lower().endswith(_SOURCES)
        if (
            known == wanted
            or (is_rooted and f"/{known}".endswith(wanted))
            or (is_source and posixpath.basename(known) == posixpath.basename(wanted))
        ):
            yield sheet


def _forget_source(path: str) -> str:
    """Answer a path without what tells a stylesheet from its source: ending and underscore."""
    folder, name = posixpath.split(path)
    stem = re.sub(r"\.(?:css|scss|less)$", "", name, flags=re.IGNORECASE).removeprefix("_")
    return posixpath.join(folder, stem)
