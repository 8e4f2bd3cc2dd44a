"""What the app needs besides Azure DevOps: secrets, records, models, room, and to be let work."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from shared.doctor.report import AilmentError, Check, UnseenError
from shared.domain.switches import Mode
from shared.jobs.world import World
from shared.llm.conversation import ChatModel, ChatRequest, Conversation, Role, Turn
from shared.store import jobs, upgrading
from shared.store import switches as switch_store
from shared.store.archiving import find_restore_point_age_s
from shared.store.database import Database

CANARY_AGE: Final = timedelta(hours=1)
"""It sings four times an hour."""
UNDELIVERED: Final = timedelta(minutes=15)
"""What cannot be delivered is written to disk, and tried again every minute."""
_DAY_S: Final = 86_400.0
_GB: Final = 1e9
_ASKING: Final = timedelta(seconds=8)


def check_secrets(world: World) -> str:
    """Look whether every secret that the settings call for can be read."""
    names = (*world.list_secrets(), *world.list_model_keys())
    for name in names:
        world.secrets.read(name)
    stale = [name for name in names if world.secrets.is_stale(name)]
    if stale:
        raise AilmentError(f"the vault does not answer; {', '.join(stale)} served from memory")
    source = "the vault" if world.settings.vault.url else "variables"
    return f"{len(names)} read from {source}"


def check_expiry(world: World) -> str:
    """Look whether a secret expires soon."""
    dates = {name: at for name in world.list_expiring() if (at := world.secrets.find_expiry(name))}
    if not dates:
        raise UnseenError("no secret has a date on which it expires")
    left = {name: (at - world.clock()).total_seconds() / _DAY_S for name, at in dates.items()}
    soon = [name for name in left if left[name] < world.settings.vault.expiry_days]
    if soon:
        raise AilmentError(", ".join(f"{name}: {left[name]:.0f} days left" for name in soon))
    return f"{min(left.values()):.0f} days or more left"


def check_database(world: World) -> str:
    """Look whether the records answer, and how its connections fare."""
    with _open(world) as database:
        began = time.monotonic()
        database.check()
        took_ms = 1000 * (time.monotonic() - began)
        with database.read() as connection:
            age_s = find_restore_point_age_s(connection)
    if not database.is_postgres:
        return f"SQLite answers in {took_ms:.0f} ms"
    archive = "it archives no log" if age_s is None else f"its log was archived {age_s:.0f} s ago"
    most = f"at most {world.settings.database.pool_size} connections of a process"
    return f"Postgres answers in {took_ms:.0f} ms, {most}; {archive}"


def check_migrations(world: World) -> str:
    """Look whether every migration of this release has been run."""
    with _open(world) as database, database.read() as connection:
        if not upgrading.is_latest(connection):
            raise AilmentError("the tables are not those of this release")
    return "the tables are those of this release"


def check_switches(world: World) -> str:
    """Look whether operators let the app work."""
    with _open(world) as database, database.read() as connection:
        turned = switch_store.load(connection)
    unknown = {name for one in turned if isinstance(one.value, list) for name in one.value} - set(
        world.settings.models.names
    )
    said = [f"{one.name} {one.value} since {one.at:%Y-%m-%d %H:%M} UTC" for one in turned]
    if unknown or any(one.value in (Mode.PAUSED, Mode.READ_ONLY) for one in turned):
        raise AilmentError("; ".join(said))
    return "; ".join(said) or "none is turned"


def list_model_checks(world: World, *, asks: bool) -> list[Check]:
    """List a check for each model of the settings; none is asked unless `asks`."""
    sources = world.settings.models.sources
    do = "Look at the model's settings, its key and its provider's status; docs/models.md."
    return [
        Check(f"model_{source.provider}", _look_at_model(world, index, asks=asks), do)
        for index, source in enumerate(sources)
    ]


def check_disk(world: World) -> str:
    """Look whether the archives of repositories have room."""
    folder = world.settings.data_directory
    if not folder.exists():
        raise UnseenError("the app's folder is not on this machine")
    free, wanted = shutil.disk_usage(folder).free, world.settings.snapshot_max_bytes
    kept = _measure(folder / "snapshots")
    if free + kept < wanted:
        raise AilmentError(f"{free / _GB:.1f} GB are free, archives may take {wanted / _GB:.1f} GB")
    return f"{free / _GB:.1f} GB free, archives take {kept / _GB:.1f} GB"


def check_telemetry(world: World) -> str:
    """Look whether what the app tells of itself is sent somewhere, and leaves this machine."""
    telemetry = world.settings.telemetry
    if telemetry.connection_string:
        waits_s = world.clock().timestamp() - min(
            _list_changes(telemetry.storage), default=world.clock().timestamp()
        )
        if waits_s > UNDELIVERED.total_seconds():
            raise AilmentError(
                f"records have waited for {waits_s / 60:.0f} minutes to be delivered",
                "Look at the network and at the role Monitoring Metrics Publisher;"
                " docs/observability.md.",
            )
        return "Application Insights is set up, and nothing waits here to be delivered"
    if world.settings.environment == "local":
        raise UnseenError("no telemetry on this machine")
    raise AilmentError("nobody hears what the app tells: no connection string is set")


def check_canary(world: World) -> str:
    """Look how the canary's latest job ended, by the records."""
    settings = world.settings.canary
    if settings is None:
        raise UnseenError("no canary is set up")
    with _open(world) as database, database.read() as connection:
        found = jobs.load_jobs_of_pull_request(
            connection,
            organisation=world.settings.organisation,
            repository_id=settings.repository_id,
            pull_request_id=settings.pull_request_id,
        )
    ended = next((job for job in found if job.status.is_final), None)
    if ended is None or world.clock() - ended.created_at > CANARY_AGE:
        raise AilmentError("the canary has not been heard for an hour")
    if ended.status != "success":
        raise AilmentError(f"its latest job, {ended.id}, ended as {ended.status}")
    return f"heard at {ended.created_at:%H:%M} UTC"


def _look_at_model(world: World, index: int, *, asks: bool) -> Callable[[], str]:
    def look() -> str:
        model = world.models[index]
        secret = world.settings.models.sources[index].secret
        if secret and not world.settings.models.sources[index].uses_identity:
            world.secrets.read(secret)
        if not asks:
            return f"{model.model} is set up; it was not asked (--ask-models)"
        began = time.monotonic()
        served = _ask(model, world)
        return f"{served} answers in {time.monotonic() - began:.1f} s"

    return look


def _ask(model: ChatModel, world: World) -> str:
    said = Conversation("Answer with one word.", (), "", (Turn(Role.USER, "Say OK."),))
    return model.reply(ChatRequest(said, world.clock() + _ASKING, 16)).model


def _list_changes(folder: Path) -> Iterator[float]:
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # delivered meanwhile
            if path.is_file():
                yield path.stat().st_mtime


def _measure(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())


@contextmanager
def _open(world: World) -> Iterator[Database]:
    """Open the records as they are: nothing is migrated because somebody looks."""
    database = world.open_database()
    try:
        yield database
    finally:
        database.dispose()
