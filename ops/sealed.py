"""An encrypted backup: where it lies, whether it is whole, and what is in it.

Written by `ops/backup.sh`: a dump in pg_dump's custom format within a CMS message (AES-256-GCM) for
one certificate, checksums and a manifest.
Source: https://docs.openssl.org/3.0/man1/openssl-cms/
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ops.manifest import Manifest, ManifestError

END: Final = ".dump.cms"
_PARTS: Final = (END, ".sha256", ".manifest.json")
_CHECKSUM: Final = re.compile(r"([0-9a-f]{64})[ *]{2}(\S+)")
PASSPHRASE_VARIABLE: Final = "RESTORE_KEY_PASSPHRASE"  # noqa: S105 - a name
"""Of the private key, where nobody is there to be asked for it."""
_ACCOUNT: Final = re.compile(r"([a-z0-9]{3,24})\.blob\.core\.windows\.net")


class SealError(Exception):
    """A backup cannot be had, is not whole, or does not open; the message says which."""


@dataclass(frozen=True, slots=True)
class SealedBackup:
    """A backup whose files are here, and are what they were."""

    folder: Path
    name: str
    manifest: Manifest

    @classmethod
    def fetch(cls, place: str, folder: Path) -> "SealedBackup":
        """Bring a backup into a folder, from a file or a storage account, and check it.

        Raises:
            SealError: it is not there, or not whole.
        """
        if not place.endswith(END):
            raise SealError(f"A backup's name ends with {END}.")
        stem = place.removesuffix(END)
        name = stem.rpartition("/")[2]
        for part in _PARTS:
            target = folder / f"{name}{part}"
            if place.startswith("https://"):
                _download(stem + part, target)
            elif not Path(stem + part).is_file():
                raise SealError(f"{name}{part} is missing.")
            else:
                shutil.copyfile(stem + part, target)
        _check_sums(folder, name)
        try:
            return cls(folder, name, Manifest.read(folder / f"{name}.manifest.json"))
        except ManifestError as error:
            raise SealError(str(error)) from None

    def open(self, key: Path, certificate: Path) -> Path:
        """Decrypt the dump, and read it to its last byte; answers where it is.

        Raises:
            SealError: the key is another one or cannot be read, or the dump is broken.
        """
        for file in (key, certificate):
            if not file.is_file():
                raise SealError(f"There is no file {file}.")
        dump = self.folder / "plain.dump"
        sealed = self.folder / f"{self.name}{END}"
        dump.touch(mode=0o600)
        arguments = ["-binary", "-inform", "DER", "-in", str(sealed), "-out", str(dump)]
        keys = ["-inkey", str(key), "-recip", str(certificate)]
        if os.environ.get(PASSPHRASE_VARIABLE):
            keys += ["-passin", f"env:{PASSPHRASE_VARIABLE}"]
        if not _run("openssl", "cms", "-decrypt", *arguments, *keys):
            raise SealError(
                "The backup does not open with this key, or not with this passphrase"
                f" ({PASSPHRASE_VARIABLE}, else asked for at a terminal)."
            )
        if not _run("pg_restore", "--file=/dev/null", str(dump)):
            raise SealError("The dump cannot be read to its end.")
        return dump


def _check_sums(folder: Path, name: str) -> None:
    told = {
        file: digest
        for digest, file in _CHECKSUM.findall((folder / f"{name}.sha256").read_text("utf-8"))
    }
    for part in (END, ".manifest.json"):
        file = folder / f"{name}{part}"
        with file.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != told.get(file.name):
                raise SealError(f"{file.name} is not what it was: its checksum differs.")


def _download(address: str, target: Path) -> None:
    parts = urlsplit(address)
    account = _ACCOUNT.fullmatch(parts.netloc)
    container, _, blob = parts.path.lstrip("/").partition("/")
    if account is None or not blob or parts.query:
        raise SealError("https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.dump.cms expected.")
    place = ["--account-name", account[1], "--container-name", container, "--name", blob]
    quiet = ["--no-progress", "--only-show-errors", "--output", "none"]
    login = ["storage", "blob", "download", "--auth-mode", "login"]
    if not _run("az", *login, *place, "--file", str(target), *quiet):
        raise SealError(
            f"{target.name} could not be downloaded (`az login`, the address, a role?)."
        )


def _run(program: str, *arguments: str) -> bool:
    found = shutil.which(program)
    if found is None:
        raise SealError(f"{program} is missing.")
    done = subprocess.run(  # noqa: S603 - a program of the PATH, with arguments that are no options
        [found, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0
