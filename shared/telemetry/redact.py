"""Keeps credentials and people's addresses out of telemetry and of every log line of the process.

Telemetry is typed, so nothing should be here to remove; this is the second net. A record is
cleaned where it is made, so that every handler gets the clean one: ours, the function host's, and
those that are added later.
"""

import hashlib
import hmac
import logging
import re
import traceback
from collections.abc import Callable
from functools import cache
from typing import Any, Final

REMOVED: Final = "[removed]"
ADDRESS_REMOVED: Final = "[e-mail removed]"


@cache
def _compile_forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compile what is removed, and what stands in its place; a cold start does not pay for it."""
    header = (
        r"(\b(?:proxy-)?authorization\b['\"]?\s*[:=]\s*['\"]?"
        r"|\b(?:x-code-agent-secret|x-functions-key|x-api-key|api-key|ocp-apim-subscription-key)\b"
        r"['\"]?\s*[:=]\s*['\"]?)(?:(?:basic|bearer|digest|negotiate)\s+)?[^\s'\",;}]+"
    )
    forms = (
        # headers that carry a secret, as logs, `repr` and JSON write them
        (header, rf"\1{REMOVED}"),
        (r"\b(basic|bearer)\s+[A-Za-z0-9+/._~-]{16,}=*", rf"\1 {REMOVED}"),
        # what stands before the host of an address
        (r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"]+@", rf"\1{REMOVED}@"),
        (
            r"([?&](?:code|sig|token|access_token|api[-_]key|password)=)[^&\s'\"#]+",
            rf"\1{REMOVED}",
        ),
        (
            r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}",
            ADDRESS_REMOVED,
        ),
    )
    return tuple((re.compile(form, re.IGNORECASE | re.ASCII), put) for form, put in forms)


def redact(text: str) -> str:
    """Remove credentials, headers that carry one, and e-mail addresses from a text."""
    from shared.domain.credentials import mask_credentials

    text = mask_credentials(text)
    for form, put in _compile_forms():
        text = form.sub(put, text)
    return text


def hash_person(identifier: str, key: bytes) -> str:
    """Answer what stands for a person in telemetry: a keyed hash of an id or an e-mail address.

    Without the key nobody can find the person by trying all members of an organisation.
    """
    name = identifier.strip().casefold().encode("utf-8", "surrogatepass")
    return hmac.new(key, name, hashlib.sha256).hexdigest()[:16]


def clean_record(record: logging.LogRecord) -> None:
    """Clean a record's text and its exception in place; one that is clean stays as it was."""
    try:
        told = record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit: better an odd line than none
        told = ""
        record.msg, record.args = redact(f"{record.msg} {record.args}"), None
    clean = redact(told)
    if clean != told:
        record.msg, record.args = clean, None
    if record.exc_info and record.exc_info[1] is not None:
        _clean_exception(record)


def _clean_exception(record: logging.LogRecord) -> None:
    """Put a text in place of an exception whose own tells too much."""
    kind, error, trace = record.exc_info or (None, None, None)
    told = "".join(traceback.format_exception(kind, error, trace)).rstrip("\n")
    clean = redact(told)
    if clean == told or error is None:
        return
    # who reads `exc_info` itself gets an exception of the same name that holds the clean text
    stand_in = type(type(error).__name__, (Exception,), {})(redact(str(error)))
    record.exc_text = clean
    record.exc_info = (type(stand_in), stand_in, trace)


class CleaningFactory:
    """Makes log records, as another factory does, and cleans them."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make one record."""
        record = self._make(*args, **kwargs)
        clean_record(record)
        return record


def clean_all_logs() -> None:
    """Clean every log record that this process makes from now on; said twice, it is done once."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, CleaningFactory):
        logging.setLogRecordFactory(CleaningFactory(make))
