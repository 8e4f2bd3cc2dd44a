"""Plays the two drills: one with a backup of the database, one without any.

With: a backup is taken while jobs run. Afterwards more commands are written, jobs end, a question
is answered; then everything of the app's is lost, and while it is away another command is written.
Without: the same loss, and no backup; what stands on Azure DevOps is all there is.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from local.drill.checks import Asked, check_world
from local.drill.stage import (
    AGENT_NAME,
    PULL_REQUEST,
    REPOSITORY,
    DrillError,
    Stage,
    wait_until,
)

_LOOK_EVERY_S: Final = 0.1
_MOST_TRIES: Final = 5
_PUSH: Final = 3
"""Which write of a job that runs alone is its first push: two say that it has begun."""
_FINAL: Final = frozenset({"success", "partial_success", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Size:
    """How much is at stake."""

    jobs: int = 20
    """Written before the backup."""
    late: int = 4
    """Written behind it."""
    variants: int = 2


@dataclass
class Played:
    """What a drill has shown."""

    name: str
    asked: Asked
    lost: Mapping[str, int]
    """How many jobs the records told of when they were lost, by what became of them."""
    recovery_point_age_s: float | None = None
    """RPO: how old the backup was at the loss; None without one."""
    recovery_s: float = 0.0
    """RTO: from the loss to a command that was written, heard and carried out."""
    lost_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds of each step."""
    reports: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the operators' commands said."""
    faults: list[str] = field(default_factory=list)
    not_rebuilt: dict[str, int] = field(default_factory=dict)
    """Rows that were lost for good, by table."""

    @contextmanager
    def step(self, name: str, tell: Callable[[str], None]) -> Iterator[None]:
        """Measure a step."""
        tell(name)
        began = time.monotonic()
        yield
        self.steps[name] = time.monotonic() - began


def play_with_backup(stage: Stage, size: Size, keys: "Keys", tell: Callable[[str], None]) -> Played:
    """Lose everything in the middle of jobs, some time after a backup, and restore it."""
    asked = Asked()
    stage.start(stage.create_database())
    stage.run_timer("watch_hooks")  # from here on, sweeps know what they have seen
    wait_until("the first sweep", lambda: any(not row["holder"] for row in stage.read("turns")))
    tell(f"{size.jobs} commands of {size.variants} variants each")
    for number in range(size.jobs):
        _ask(stage, asked, size.variants, f"make all buttons red, number {number}")
    wait_until("a quarter of the jobs has ended", lambda: _count_ended(stage) >= size.jobs // 4)
    played = Played("with a backup", asked, {})
    with played.step("backup", tell):
        backup = _back_up(stage, keys)
    ended = _count_ended(stage)
    tell(f"{size.late} more commands and a question, behind the recovery point")
    for number in range(size.late):
        _ask(stage, asked, size.variants, f"make all buttons blue, number {number}")
    asked.questions.append(stage.jamal.write_comment(PULL_REQUEST, "/help"))
    wait_until("the question is answered", lambda: _count_comments(stage, asked.questions[-1]) > 1)
    wait_until("another job ends", lambda: _count_ended(stage) > ended)
    _lose(stage, played, size, tell)
    lost_at = time.monotonic()
    _ask(stage, asked, size.variants, "make all buttons grey, while nobody hears")
    database = stage.create_database()
    with played.step("restore", tell):
        restored = stage.operate(
            *("restore", str(backup), "--key", str(keys.key)),
            *("--certificate", str(keys.certificate)),
            CODE_AGENT_DATABASE_URL="",
            RESTORE_DATABASE_URL=database,
        )
    played.reports["restore"] = restored
    taken = datetime.fromisoformat(restored["recovery_point"])
    played.recovery_point_age_s = (played.lost_at - taken).total_seconds()
    _recover(stage, played, database, tell, since=None)
    played.recovery_s = time.monotonic() - lost_at
    played.faults = check_world(stage, asked)
    return played


def play_without_database(stage: Stage, size: Size, tell: Callable[[str], None]) -> Played:
    """Lose everything and have no backup; the stage is as the first drill has left it."""
    before = stage.list_jobs()
    asked = _list_asked(stage)
    tell(f"{size.late} more commands")
    for number in range(size.late):
        _ask(stage, asked, size.variants, f"make all buttons green, number {number}")
    wait_until("one of them ends", lambda: _count_ended(stage) > len(before))
    played = Played("without a database", asked, {})
    told = {row["id"]: row for row in stage.read("jobs")}
    counted = {name: len(stage.read(name)) for name in _FOR_GOOD}
    _lose(stage, played, size, tell)
    lost_at = time.monotonic()
    _ask(stage, asked, size.variants, "make all buttons white, while nobody hears")
    database = stage.create_database()
    since = datetime.now(UTC) - timedelta(days=1)
    _recover(stage, played, database, tell, since=since)
    played.recovery_s = time.monotonic() - lost_at
    played.not_rebuilt = counted
    played.faults = check_world(stage, asked)
    played.faults += _compare(told, {row["id"]: row for row in stage.read("jobs")})
    return played


_FOR_GOOD: Final = ("audit_logs", "usage", "artifacts", "result_cache", "rate_limits")
"""Tables of which Azure DevOps knows nothing."""
_SAME: Final = ("status", "intent", "actor_id", "requested_variants", "source_ref", "base_commit")
"""What is as it was in the row of a job that had ended, though the row was lost."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose backups can be read by whom."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Keys":
        """Make a pair that lasts a day."""
        keys = cls(folder / "certificate.pem", folder / "key.pem")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
                *("-subj", "/CN=drill", "-keyout", str(keys.key), "-out", str(keys.certificate)),
            ],
            check=True,
            capture_output=True,
        )
        return keys


def _list_asked(stage: Stage) -> Asked:
    """Answer what has been asked on a stage so far, as its records say."""
    asked = Asked()
    for row in stage.read("jobs"):
        asked.edits[int(row["thread_id"])] = int(row["requested_variants"])
    return asked


def _ask(stage: Stage, asked: Asked, variants: int, what: str) -> int:
    thread = stage.jamal.write_comment(PULL_REQUEST, f"/edit /{variants} {what}")
    asked.edits[thread] = variants
    return thread


def _back_up(stage: Stage, keys: Keys) -> Path:
    folder = stage.folder / "backups"
    folder.mkdir(exist_ok=True)
    url = make_url(stage.database_url)
    login = {
        "PGHOST": str(url.host),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGDATABASE": str(url.database),
        "PYTHON": os.environ.get("PYTHON", ""),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "",
    }
    done = subprocess.run(
        [REPOSITORY / "ops" / "backup.sh", keys.certificate, folder],
        env=os.environ | login,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DrillError(f"backup.sh answered {done.returncode}: {done.stderr[-500:]}")
    return Path(done.stdout.strip())


def _lose(stage: Stage, played: Played, size: Size, tell: Callable[[str], None]) -> None:
    """Lose everything, while one job does not know yet that what it has just done is done."""
    for _ in range(_MOST_TRIES):
        stage.hold_write(_PUSH)
        _ask(stage, played.asked, size.variants, "make all buttons black, at the last moment")
        wait_until("a write is under way", stage.is_held)
        rows = stage.list_jobs()
        if any(status not in _FINAL for status in rows.values()):
            break
        stage.release_write()  # it was the last word of a job that had ended
    else:
        raise DrillError("no job was at work any more: nothing was at stake")
    played.lost = {
        "jobs": len(rows),
        "ended": sum(status in _FINAL for status in rows.values()),
        "at work": sum(status not in _FINAL for status in rows.values()),
    }
    told = ", ".join(f"{count} {what}" for what, count in played.lost.items())
    tell(f"everything is lost: {told}")
    played.lost_at = stage.lose()
    stage.release_write()


def _recover(
    stage: Stage,
    played: Played,
    database: str,
    tell: Callable[[str], None],
    *,
    since: datetime | None,
) -> None:
    stage.database_url = database
    words = () if since is None else ("--since", since.isoformat())
    with played.step("rebuild", tell):
        report = stage.operate("rebuild", "--agent", AGENT_NAME, *words)
    played.reports["rebuild"] = report
    with played.step("start", tell):
        stage.start(database)
        stage.enable_hook()
    with played.step("reconcile and sweep", tell):
        for timer in ("reconcile", "watch_hooks"):
            stage.run_timer(timer)
        wait_until("every job has ended", lambda: _has_settled(stage, played.asked))
    with played.step("canary", tell):
        thread = _ask(stage, played.asked, 1, "make all buttons violet: the canary")
        wait_until("the canary ends", lambda: stage.list_jobs().get(thread) in _FINAL)
        wait_until("nothing runs", stage.is_idle)


def _has_settled(stage: Stage, asked: Asked) -> bool:
    rows = stage.list_jobs()
    if all(rows.get(thread) in _FINAL for thread in asked.edits) and stage.is_idle():
        return True
    time.sleep(_LOOK_EVERY_S)
    return False


def _count_ended(stage: Stage) -> int:
    return sum(status in _FINAL for status in stage.list_jobs().values())


def _count_comments(stage: Stage, thread: int) -> int:
    return len(stage.jamal.read_thread(PULL_REQUEST, thread)["comments"])


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Compare the rows of jobs that had ended before the loss."""
    faults = []
    for job_id, row in before.items():
        if row["status"] not in _FINAL:
            continue
        again = after.get(job_id)
        if again is None:
            faults.append(f"the row of {job_id} is gone")
            continue
        other = [name for name in _SAME if again[name] != row[name]]
        faults += [f"{job_id}: {name} is not what it was" for name in other]
    return faults
