"""What follows when refs move: a push is kept, told of, and a new iteration of pull requests on it.

However a ref is moved (REST, git, or a pull request that is completed), it is a push by somebody.
"""

from collections.abc import Sequence
from typing import Any

from local.azure_devops.git_store import ZERO
from local.azure_devops.organisation import Organisation, read_time
from local.azure_devops.records import Document


def note_push(
    organisation: Organisation,
    repository: Document,
    user: Document,
    moved: Sequence[tuple[str, str, str]],
) -> Document:
    """Keep a push, and tell everybody who depends on its refs; answers what is kept.

    Args:
        organisation: where it is.
        repository: what was pushed to.
        user: who pushed.
        moved: name, old commit and new commit of each ref.
    """
    number = organisation.records.next_number("push")
    push: Document = {
        "id": number,
        "repositoryId": repository["id"],
        "pushedBy": user["id"],
        "date": read_time(),
        "refUpdates": [
            {"name": name, "oldObjectId": old, "newObjectId": new} for name, old, new in moved
        ],
    }
    organisation.records.put("push", number, push)
    for name, old, new in moved:
        _tell(organisation, repository, user, name, old, new)
    return push


def _tell(
    organisation: Organisation, repository: Document, user: Document, name: str, old: str, new: str
) -> None:
    organisation.announce(
        "push", repositoryId=repository["id"], userId=user["id"], name=name, old=old, new=new
    )
    for pull_request in organisation.records.all("pull_request"):
        if (
            pull_request["repositoryId"] == repository["id"]
            and pull_request["status"] == "active"
            and pull_request["sourceRefName"] == name
            and new != ZERO
        ):
            add_iteration(organisation, pull_request, user)
            organisation.announce(
                "pull_request_updated", pullRequestId=pull_request["id"], userId=user["id"]
            )


def add_iteration(organisation: Organisation, pull_request: Document, user: Document) -> None:
    """Note where source and target stand now as the next iteration."""
    store = organisation.open_store(pull_request["repositoryId"])
    source = store.find_ref(pull_request["sourceRefName"]) or ZERO
    target = store.find_ref(pull_request["targetRefName"]) or ZERO
    iteration: dict[str, Any] = {
        "id": len(pull_request["iterations"]) + 1,
        "authorId": user["id"],
        "createdDate": read_time(),
        "source": source,
        "target": target,
        "common": store.find_merge_base(source, target) if ZERO not in (source, target) else "",
    }
    pull_request["iterations"].append(iteration)
    organisation.records.put("pull_request", pull_request["id"], pull_request)
