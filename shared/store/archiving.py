"""How far Postgres has archived its log: what a restore to a point in time can reach.

No service tells its latest restorable time as such: Azure shows the earliest one
(`properties.backup.earliestRestoreDate`). It ends with the last segment that was archived, which
the server itself knows, on Azure (`archive_timeout` is 300 s there) as anywhere else.
Sources: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ARCHIVER-VIEW
https://learn.microsoft.com/azure/postgresql/flexible-server/param-write-ahead-log-archiving
"""

from sqlalchemy import Connection, text

_QUERY = (
    "SELECT extract(epoch FROM now() - coalesce(last_archived_time, stats_reset))"
    " FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'"
)


def find_restore_point_age_s(connection: Connection) -> float | None:
    """Find how long ago the server has archived its log; None where it archives nothing.

    The most that could be lost: a server on which nothing was written archives nothing either.
    """
    if connection.dialect.name != "postgresql":
        return None
    age = connection.execute(text(_QUERY)).scalar()
    return None if age is None else max(0.0, float(age))
