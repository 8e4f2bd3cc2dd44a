"""Decides who may give commands, and in which repositories. Denies by default.

Azure DevOps evaluates permissions for the caller only, and the caller is the agent. So the
operators say who may ask: people, groups, or everybody in repositories that are declared open.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from shared.domain.errors import PolicyError
from shared.domain.pull_request import Identity, RepositoryRef


@dataclass(frozen=True, slots=True)
class PermissionRules:
    """The operators' rules. Names are compared without regard to case."""

    allowed_users: frozenset[str] = frozenset()
    """Identity ids (GUIDs) or unique names (e-mail addresses)."""
    allowed_groups: frozenset[str] = frozenset()
    """Groups as Azure DevOps writes them: `[Project]\\Contributors`."""
    open_repositories: frozenset[str] = frozenset()
    """Repositories in which everybody who can comment may ask."""
    allowed_repositories: frozenset[str] = frozenset()
    """When not empty: the only repositories the agent works in."""


def decide_permission(
    author: Identity,
    repository: RepositoryRef,
    rules: PermissionRules,
    list_groups: Callable[[], Iterable[str]],
) -> None:
    """Return when the author of a comment may give commands in a repository.

    Args:
        author: of the comment, as it was read back; never the pull request's creator.
        repository: with its names, which the rules are written in: `Project/repository`,
            `Project/*`, `*`, or the repository's GUID.
        rules: the operators' rules.
        list_groups: asked for the author's groups only when it comes to that, and read only as
            far as the first that counts.

    Raises:
        PolicyError: `permission.repository_not_allowed` or `permission.denied`.
    """
    if rules.allowed_repositories and not _names(repository, rules.allowed_repositories):
        raise PolicyError(
            "permission.repository_not_allowed", "The agent may not work in this repository."
        )
    if _names(repository, rules.open_repositories):
        return
    if _overlap((author.id, author.unique_name), rules.allowed_users):
        return
    if rules.allowed_groups and _overlap(list_groups(), rules.allowed_groups):
        return
    raise PolicyError(
        "permission.denied", "You are not among the people who may give the agent commands here."
    )


def _names(repository: RepositoryRef, patterns: Collection[str]) -> bool:
    project = repository.project_name
    names = (
        "*",
        f"{project}/*",
        f"{project}/{repository.repository_name}",
        repository.repository_id,
    )
    return _overlap(names, patterns)


def _overlap(found: Iterable[str], wanted: Iterable[str]) -> bool:
    accepted = {name.casefold() for name in wanted if name}
    return any(name.casefold() in accepted for name in found)
