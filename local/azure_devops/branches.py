"""What follows when a ref moves: a push event, and a new iteration of each pull request on it."""

from typing import Any

from local.azure_devops.git_store import ZERO
from local.azure_devops.organisation import Organisation, read_time
from local.azure_devops.records import Document


def note_ref_change(
    organisation: Organisation, repository: Document, user: Document, name: str, old: str, new: str
) -> None:
    """Tell everybody who depends on a ref that it moved."""
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
