"""The thin whole: a bot's way through the service, by HTTP and git alone."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps, run_in_thread
from local.azure_devops.server import ServerOptions

VERSION = {"api-version": "7.1"}
REPOSITORY = "Storefront/_apis/git/repositories/storefront"


@pytest.fixture
def azure_devops(tmp_path: Path) -> Iterator[RunningAzureDevOps]:
    with run_in_thread(ServerOptions(tmp_path / "organisation")) as running:
        yield running


def _call(
    running: RunningAzureDevOps, method: str, path: str, body: Any = None
) -> requests.Response:
    url = f"{running.organisation_url}/{REPOSITORY}/{path}"
    auth = ("", seed.CODE_AGENT.pat)
    return requests.request(method, url, json=body, params=VERSION, auth=auth, timeout=10)


def test_second_active_pull_request_for_the_same_branches_is_refused(
    azure_devops: RunningAzureDevOps,
) -> None:
    body = {
        "sourceRefName": "refs/heads/feature/checkout",
        "targetRefName": "refs/heads/main",
        "title": "again",
    }
    answer = _call(azure_devops, "POST", "pullrequests", body)
    assert answer.status_code == 409
    assert "TF401179" in answer.json()["message"]


def test_bad_credential_gets_the_sign_in_page(azure_devops: RunningAzureDevOps) -> None:
    url = f"{azure_devops.organisation_url}/{REPOSITORY}"
    assert requests.get(url, params=VERSION, auth=("", "bad"), timeout=10).status_code == 203


def test_pages_are_shown(azure_devops: RunningAzureDevOps) -> None:
    page = f"{azure_devops.organisation_url}/Storefront/_git/storefront/pullrequest/1"
    for url in (azure_devops.url, azure_devops.organisation_url, page):
        assert requests.get(url, timeout=10).status_code == 200


def test_git_clones_over_http(azure_devops: RunningAzureDevOps, tmp_path: Path) -> None:
    url = azure_devops.organisation_url.replace("//", f"//x:{seed.JAMAL.pat}@")
    command = ["git", "clone", "-q", f"{url}/Storefront/_git/storefront", str(tmp_path / "clone")]
    subprocess.run(command, check=True)
    assert (tmp_path / "clone" / "css" / "site.css").exists()
