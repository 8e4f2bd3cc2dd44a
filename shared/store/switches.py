"""The table `switches`: what operators have turned, one row each. The audit log says who."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from shared.domain.switches import SetSwitch, SwitchName
from shared.store import audit
from shared.store.audit import AuditAction
from shared.store.tables import SWITCHES
from shared.store.upsert import insert_or_update

_BY_ITSELF: Final = "default"


def load(connection: Connection) -> list[SetSwitch]:
    """Load the switches that are set; a name that only another release knows is passed over."""
    rows = connection.execute(select(SWITCHES).order_by(SWITCHES.c.name)).mappings()
    known = frozenset(SwitchName)
    return [
        SetSwitch(SwitchName(row["name"]), row["value"], row["note"], row["set_at"])
        for row in rows
        if row["name"] in known
    ]


def turn(connection: Connection, switch: SetSwitch, *, by: str) -> None:
    """Set a switch, with an entry in the audit log."""
    row = {
        "name": str(switch.name),
        "value": switch.value,
        "note": switch.note,
        "set_at": switch.at,
    }
    insert_or_update(connection, SWITCHES, "name", row)
    _note(connection, switch.name, switch.value, by=by, at=switch.at)


def release(connection: Connection, name: SwitchName, *, by: str, at: datetime) -> None:
    """Let a switch go back to where it is by itself; nothing is noted of one that is there."""
    removed = connection.execute(delete(SWITCHES).where(SWITCHES.c.name == str(name)))
    if removed.rowcount:
        _note(connection, name, _BY_ITSELF, by=by, at=at)


def _note(connection: Connection, name: SwitchName, value: Any, *, by: str, at: datetime) -> None:
    told = ",".join(value) if isinstance(value, list) else value
    audit.record(
        connection,
        job_id="",
        actor_id=by,
        action=AuditAction.SWITCH_TURNED,
        at=at,
        facts={"switch": str(name), "to": told},
    )
