"""The table `turns`: whose turn it is at what one instance does at a time, and how far it has got.

A turn that is not ended, because its process was killed, is free again when its time is over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from shared.store.tables import TURNS
from shared.store.upsert import insert_missing


def take_turn(
    connection: Connection, name: str, holder: str, *, at: datetime, until: datetime
) -> dict[str, Any] | None:
    """Take a turn until an instant; answers where the last one stopped, `{}` at the first.

    None while somebody else has it.
    """
    insert_missing(connection, TURNS, {"name": name, "holder": "", "held_until": at, "state": {}})
    taken = connection.execute(
        update(TURNS)
        .where(TURNS.c.name == name, TURNS.c.held_until <= at)
        .values(holder=holder, held_until=until)
    )
    if taken.rowcount != 1:
        return None
    query = select(TURNS.c.state).where(TURNS.c.name == name)
    state: dict[str, Any] = connection.execute(query).scalar_one()
    return state


def end_turn(
    connection: Connection, name: str, holder: str, state: Mapping[str, Any], *, at: datetime
) -> bool:
    """End a turn and keep where it stopped; False when it had been taken away meanwhile."""
    ended = connection.execute(
        update(TURNS)
        .where(TURNS.c.name == name, TURNS.c.holder == holder)
        .values(holder="", held_until=at, state=dict(state))
    )
    return ended.rowcount == 1
