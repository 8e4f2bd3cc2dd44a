"""What is shipped: pinned with hashes, under a licence that the project accepts."""

import re
from importlib import metadata

from tests.local.functions_host.hosting import REPOSITORY

ALLOWED = {
    "mit",
    "mit license",
    "mit-0",
    "bsd license",
    "bsd-2-clause",
    "bsd-3-clause",
    "apache-2.0",
    "apache 2.0",
    "apache software license",
    "psf-2.0",
    "python software foundation license",
    "mpl-2.0",
    "mozilla public license 2.0 (mpl 2.0)",
    "isc",
    "unlicense",
    "public domain",
    "gplv2 with linking exception",  # pygit2: linking it asks nothing of the app
    "lgpl-3.0-only",  # psycopg: a library of its own that whoever runs the app can replace
}
"""Licences that ask nothing of an app that uses a package unchanged."""
ELSEWHERE = {"httpx2-jsfetch"}
"""Installed on other platforms only."""


def list_pins() -> dict[str, str]:
    """Map each package of requirements.txt to its entry, hashes included."""
    text = (REPOSITORY / "requirements.txt").read_text("utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text[text.index("\n") :])
    pins = [(re.match(r"([A-Za-z0-9._-]+)==", entry.strip()), entry) for entry in entries]
    return {found[1]: entry for found, entry in pins if found}


def list_licences(package: str) -> list[str]:
    """List the licences of a package: its expression, else its classifiers, else its text."""
    told = metadata.metadata(package)
    expression = " ".join(told.get_all("License-Expression") or [])
    if expression:
        return [part.strip("() ").lower() for part in re.split(r"\bAND\b|\bOR\b", expression)]
    classifiers = [
        name.rpartition("::")[2].strip().lower()
        for name in told.get_all("Classifier") or []
        if name.startswith("License ::")
    ]
    known = [name for name in classifiers if name in ALLOWED]
    return known or [" ".join(told.get_all("License") or ["unknown"]).strip().lower()]


def test_every_package_is_under_a_licence_that_is_accepted() -> None:
    pins = list_pins()
    assert len(pins) > 50
    refused = {
        package: licences
        for package in pins
        if package not in ELSEWHERE and not set(licences := list_licences(package)) <= ALLOWED
    }
    assert refused == {}


def test_every_package_is_pinned_with_hashes() -> None:
    unpinned = [name for name, entry in list_pins().items() if "--hash=sha256:" not in entry]
    assert unpinned == []
