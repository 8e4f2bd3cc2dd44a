"""Eight processes on one database: each thing happens once, and nothing is lost."""

import multiprocessing
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.domain.limits import Limit
from shared.domain.states import JobStatus, VariantStatus
from shared.store import artifacts, audit, effects, jobs, rate_limits, result_cache, variants
from shared.store.audit import AuditAction
from shared.store.database import Database
from shared.store.effects import EffectState
from tests.integration.store.rows import NOW, a_job, a_variant

PROCESSES = 8
KEYS = 12
MOST = 7
"""Of a rate limit that all of them want to take from."""
FIRST_COME = Limit("user_jobs", "user/contoso/u", MOST, timedelta(minutes=5))


def work(url: str, number: int) -> None:
    """Do what every other process does, at the same time."""
    database = Database(url)
    database.upgrade()
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        variants.insert_variants(connection, [a_variant(k) for k in range(1, PROCESSES + 1)])
    for key in range(KEYS):
        with database.transaction() as connection:
            if effects.begin(connection, a_job().id, str(key), at=NOW).state is EffectState.NEW:
                effects.finish(connection, a_job().id, str(key), {"by": number}, at=NOW)
                write_audit(connection, number, AuditAction.BRANCH_PUSHED)
        with database.transaction() as connection:
            taker = f"{number}/{key}"
            if not rate_limits.take(connection, [(FIRST_COME, 1)], key=taker, at=NOW):
                write_audit(connection, number, AuditAction.JOB_ADMITTED)
        with database.transaction() as connection:
            data = str(key).encode()
            until = NOW + timedelta(days=number)
            kept = artifacts.put(
                connection, data, media_type="text/plain", at=NOW, expires_at=until
            )
            result_cache.keep(connection, str(key), kept, NOW, until)
    with database.transaction() as connection:
        jobs.move_job(connection, a_job().id, JobStatus.RUNNING, at=NOW)
        for other in range(PROCESSES, 0, -1):
            variants.move_variant(connection, a_job().id, other, VariantStatus.DRAFTING, at=NOW)
    with database.transaction() as connection:
        variants.move_variant(connection, a_job().id, number, VariantStatus.DRAFTING, at=NOW)
        twin = variants.claim_digest(
            connection, a_job().id, number, "d" * 64, artifact="sha256:x", at=NOW
        )
        if twin is None:
            write_audit(connection, number, AuditAction.PULL_REQUEST_OPENED)
    database.dispose()


def write_audit(connection: Any, number: int, action: AuditAction) -> None:
    audit.record(
        connection, job_id=a_job().id, actor_id=str(number), action=action, at=NOW, facts={}
    )


def test_a_new_file_is_waited_for_while_another_opens_it(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite3"
    database = Database(f"sqlite:///{file}")
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        ThreadPoolExecutor() as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE switching (to_wal)")
        opening = threads.submit(database.check)
        assert not wait([opening], 0.2).done
        other.execute("COMMIT")
        opening.result(10)
    database.dispose()


def test_eight_processes_do_everything_once(url: str) -> None:
    # forks of a process of their own, which has imported everything once and runs no thread
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["psycopg", work.__module__, "shared.store.upgrading"])
    processes = [server.Process(target=work, args=(url, 1 + k)) for k in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    database = Database(url)
    with database.read() as connection:
        done = Counter(entry.action for entry in audit.load(connection, a_job().id))
        rows = variants.load_variants(connection, a_job().id)
        longest = NOW + timedelta(days=PROCESSES)
        kept = [result_cache.find(connection, str(key), NOW) for key in range(KEYS)]
        assert [artifacts.get(connection, str(one)) for one in kept] == [
            str(key).encode() for key in range(KEYS)
        ]
    assert done == {
        AuditAction.BRANCH_PUSHED: KEYS,
        AuditAction.JOB_ADMITTED: MOST,
        AuditAction.PULL_REQUEST_OPENED: 1,
    }
    assert Counter(row.status for row in rows) == {VariantStatus.DRAFTING: PROCESSES}
    with database.transaction() as connection:
        just_before = longest - timedelta(seconds=1)
        assert artifacts.delete_expired(connection, just_before, 99) == 0
        assert artifacts.delete_expired(connection, longest, 99) == KEYS
    database.dispose()
