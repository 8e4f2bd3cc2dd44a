"""Speaks on the command's pull request: replies that exist once, and the comment that is edited."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from shared.ado.identities import find_own_id
from shared.ado.threads import edit_comment, fetch_thread, find_comment, post_reply
from shared.comments.marker import CommentKind, write_marker
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job
from shared.domain.pull_request import RepositoryRef
from shared.jobs.effects import once
from shared.jobs.world import World
from shared.store import jobs


def reply_once(
    world: World,
    ref: CommentRef,
    key: str,
    kind: CommentKind,
    write: Callable[[], str],
    *,
    part: int | None = None,
    after: Callable[[Connection, dict[str, Any]], None] = lambda _, __: None,
) -> dict[str, Any]:
    """Reply to the command; answers `{"comment_id", "posted"}`, the latter whether it was now.

    An attempt whose end is unknown looks for the marker of `kind` and `part` among our own comments
    first.
    """
    repository = RepositoryRef.of_comment(ref)
    posted = False

    def make() -> dict[str, Any]:
        nonlocal posted
        posted = True
        comment_id = post_reply(
            world.ado,
            repository,
            ref.pull_request_id,
            ref.thread_id,
            write(),
            parent_id=ref.comment_id,
        )
        return {"comment_id": comment_id}

    def find() -> dict[str, Any] | None:
        thread = fetch_thread(world.ado, repository, ref.pull_request_id, ref.thread_id)
        marker = write_marker(ref.instance_id, kind, part)
        found = find_comment(thread, marker, find_own_id(world.ado))
        return None if found is None else {"comment_id": found.id}

    result = once(world, ref.instance_id, key, make=make, find=find, after=after)
    return result | {"posted": posted}


def show_status(world: World, job: Job, text: str) -> None:
    """Bring the one status comment of a job up to date; it is posted where there is none yet."""

    def remember(connection: Connection, result: dict[str, Any]) -> None:
        jobs.update_job(
            connection, job.id, at=world.clock(), status_comment_id=result["comment_id"]
        )

    comment_id = job.status_comment_id
    if comment_id is None:
        said = reply_once(
            world,
            job.comment,
            "status_comment",
            CommentKind.STATUS,
            lambda: text,
            after=remember,
        )
        if said["posted"]:
            return
        comment_id = int(said["comment_id"])
    ref = job.comment
    repository = RepositoryRef.of_comment(ref)
    edit_comment(
        world.ado, repository, ref.pull_request_id, ref.thread_id, comment_id, content=text
    )
