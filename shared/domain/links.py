"""Addresses that people open, built from configured bases and ids; none is taken from a payload."""

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from shared.domain.pull_request import RepositoryRef

TOKEN_PARAMETER: Final = "token"  # noqa: S105 - the name of a query parameter
"""What carries the token that opens a job's pages."""


def build_pull_request_url(
    organisation_url: str, repository: "RepositoryRef", pull_request_id: int
) -> str:
    """Build the address of a pull request's page."""
    project = quote(repository.project_name or repository.project_id, safe="")
    name = quote(repository.repository_name or repository.repository_id, safe="")
    return f"{organisation_url}/{project}/_git/{name}/pullrequest/{pull_request_id}"


def build_job_page_url(public_url: str, job_id: str, token: str = "") -> str:
    """Build the address of a job's page; empty where the gateway has no public address."""
    if not public_url:
        return ""
    query = f"?{TOKEN_PARAMETER}={quote(token, safe='')}" if token else ""
    return f"{public_url}/gateway/jobs/{job_id}{query}"
