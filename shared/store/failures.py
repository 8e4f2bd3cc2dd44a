"""Says what an error of the database means for whoever asked, without a value in the text.

The driver's own words name rows and addresses ("Key (id)=(…) already exists"), so they are left
behind: only the kind of error, its code and the constraint's name go on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.domain.errors import STORE_UNAVAILABLE, StoreError, Verdict

_RACES: Final = frozenset(
    {
        "23505",  # unique_violation
        "23503",  # foreign_key_violation
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_FOREIGNKEY",
    }
)
"""What two writers do to each other: the next attempt sees what the other has written.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html,
https://www.sqlite.org/rescode.html
"""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database raises into a `StoreError`.

    Raises:
        StoreError: `store.unavailable` (it does not answer, verdict retry), `store.conflict`
            (another writer was there, verdict retry) or `store.refused` (it will not do what it
            was asked, however often; verdict bug).
    """
    try:
        yield
    except PoolTimeoutError:
        raise _unavailable({"kind": "PoolTimeout"}) from None
    except DBAPIError as error:
        raise _translate(error) from None


def _translate(error: DBAPIError) -> StoreError:
    facts = _read_facts(error)
    if facts.get("sqlstate") in _RACES:
        return StoreError(
            "store.conflict", "Somebody else wrote the same record just now.", facts=facts
        )
    if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
        return _unavailable(facts)
    return StoreError(
        "store.refused", "The database refused a record.", verdict=Verdict.BUG, facts=facts
    )


def _unavailable(facts: dict[str, str | int | float | bool]) -> StoreError:
    return StoreError(STORE_UNAVAILABLE, "The database did not answer.", facts=facts)


def _read_facts(error: DBAPIError) -> dict[str, str | int | float | bool]:
    cause = error.orig
    diagnosis = getattr(cause, "diag", None)
    found = {
        "kind": type(cause).__name__,
        "sqlstate": getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None),
        "constraint": getattr(diagnosis, "constraint_name", None),
    }
    return {name: value for name, value in found.items() if value}
