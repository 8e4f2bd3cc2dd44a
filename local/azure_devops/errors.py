"""The service's refusals: status, number, exception name, and the JSON they come in.

Source: https://learn.microsoft.com/azure/devops/reference/error/tfs-error-messages and what other
tools recorded of live organisations.
"""

from typing import Any


class ServiceError(Exception):
    """A refusal that the caller gets as JSON."""

    def __init__(self, status: int, type_name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type_name = type_name
        self.message = message

    def to_wire(self) -> dict[str, Any]:
        """Write it as the service does."""
        return {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"Microsoft.TeamFoundation.Git.Server.{self.type_name},"
            " Microsoft.TeamFoundation.Git.Server",
            "typeKey": self.type_name,
            "errorCode": 0,
            "eventId": 3000,
        }


def refuse_argument(message: str) -> ServiceError:
    """Refuse a request that is not well put."""
    return ServiceError(400, "InvalidArgumentValueException", message)


def miss_project(name: str) -> ServiceError:
    """Say that there is no such project."""
    return ServiceError(
        404,
        "ProjectDoesNotExistWithNameException",
        f"TF200016: The following project does not exist: {name}. Verify that the name of the "
        "project is correct and that the project exists on the specified Azure DevOps Server.",
    )


def miss_repository(name: str) -> ServiceError:
    """Say that there is no such repository, or none that the caller may see."""
    return ServiceError(
        404,
        "GitRepositoryNotFoundException",
        f"TF401019: The Git repository with name or identifier {name} does not exist or you do "
        "not have permissions for the operation you are attempting.",
    )


def miss_pull_request() -> ServiceError:
    """Say that there is no such pull request."""
    return ServiceError(
        404,
        "GitPullRequestNotFoundException",
        "TF401180: The requested pull request was not found.",
    )


def miss_thread(thread_id: int) -> ServiceError:
    """Say that there is no such thread."""
    return ServiceError(
        404,
        "DiscussionThreadNotFoundException",
        f"The discussion thread {thread_id} does not exist.",
    )


def miss_comment(comment_id: int) -> ServiceError:
    """Say that there is no such comment."""
    return ServiceError(
        404, "DiscussionCommentNotFoundException", f"The comment {comment_id} does not exist."
    )


def miss_commit(version: str) -> ServiceError:
    """Say that a version resolves to no commit."""
    return ServiceError(
        404,
        "GitUnresolvableToCommitException",
        f"TF401175: The version descriptor <{version}> could not be resolved to a version in the "
        "repository.",
    )


def miss_item(path: str, version: str) -> ServiceError:
    """Say that a version has no such path."""
    return ServiceError(
        404,
        "GitItemNotFoundException",
        f"TF401174: The item '{path}' could not be found in the repository at the version "
        f"specified by '<{version}>'.",
    )


def need_permission(name: str) -> ServiceError:
    """Say that the caller lacks a permission of Git."""
    return ServiceError(
        403,
        "GitNeedsPermissionException",
        f"TF401027: You need the Git '{name}' permission to perform this action.",
    )


def find_stale(ref: str) -> ServiceError:
    """Say that a ref is not where the caller thought."""
    return ServiceError(
        409,
        "GitReferenceStaleException",
        f"TF401028: The reference '{ref}' has already been updated by another client, so you "
        "cannot update it. Please try again.",
    )


def find_duplicate_pull_request() -> ServiceError:
    """Say that there is an active pull request for these branches."""
    return ServiceError(
        409,
        "GitPullRequestExistsException",
        "TF401179: An active pull request for the source and target branch already exists.",
    )


def miss_branch() -> ServiceError:
    """Say that a pull request's branch is gone."""
    return ServiceError(
        400,
        "GitPullRequestCannotBeActivated",
        "TF401398: The pull request cannot be activated because the source and/or the target "
        "branch no longer exists, or the requested iteration is not valid.",
    )
