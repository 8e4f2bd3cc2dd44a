from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.credentials import PatCredential
from shared.ado.session import AdoSession
from shared.domain.pull_request import RepositoryRef

OpenSession = Callable[..., AdoSession]


@pytest.fixture
def open_session(azure_devops: RunningAzureDevOps) -> Iterator[OpenSession]:
    """Open sessions with a credential of the test's choice; they are closed at the end."""
    opened: list[AdoSession] = []

    def open_it(read_pat: Callable[[], str], url: str = "", **options: Any) -> AdoSession:
        made = AdoSession(url or azure_devops.organisation_url, PatCredential(read_pat), **options)
        opened.append(made)
        return made

    yield open_it
    for made in opened:
        made.close()


@pytest.fixture
def session(open_session: OpenSession) -> AdoSession:
    return open_session(lambda: seed.CODE_AGENT.pat)


@pytest.fixture
def repository(azure_devops: RunningAzureDevOps) -> RepositoryRef:
    return find_repository(azure_devops, seed.REPOSITORY)


@pytest.fixture
def hard_repository(azure_devops: RunningAzureDevOps) -> RepositoryRef:
    return find_repository(azure_devops, seed.HARD_REPOSITORY)


def find_repository(azure_devops: RunningAzureDevOps, name: str) -> RepositoryRef:
    records = azure_devops.organisation.records
    found = next(one for one in records.all("repository") if one["name"] == name)
    return RepositoryRef(seed.ORGANISATION, found["projectId"], found["id"])


Tip = Callable[[str], str]


@pytest.fixture
def tip(azure_devops: RunningAzureDevOps, repository: RepositoryRef) -> Tip:
    """Answer where a branch of the repository stands."""

    def read(branch: str) -> str:
        store = azure_devops.organisation.open_store(repository.repository_id)
        return store.find_ref(f"refs/heads/{branch}") or ""

    return read
