"""The plain pages: a person can look, and a comment written there reaches the hooks."""

import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from tests.local.azure_devops.client import Client

HOSTILE = (
    "<script>alert(1)</script> **bold** <!-- hidden --> [x](javascript:alert(1))"
    "\n\n| a |\n|---|\n| b |"
)


def page_url(azure_devops: RunningAzureDevOps) -> str:
    return f"{azure_devops.organisation_url}/Storefront/_git/storefront/pullrequest/1"


def test_index_and_pull_request_are_shown(azure_devops: RunningAzureDevOps) -> None:
    for url in (azure_devops.url, azure_devops.organisation_url):
        assert "Checkout page" in requests.get(url, timeout=10).text
    page = requests.get(page_url(azure_devops), timeout=10)
    assert "Adds the checkout page" in page.text
    assert '<span class="add">+  &lt;button class=&#34;button' in page.text
    assert requests.get(page_url(azure_devops) + "9", timeout=10).status_code == 404


def test_comments_are_rendered_and_nothing_in_them_runs(azure_devops: RunningAzureDevOps) -> None:
    Client(azure_devops).git("POST", "pullRequests/1/threads", {"comments": [{"content": HOSTILE}]})
    page = requests.get(page_url(azure_devops), timeout=10)
    assert "<strong>bold</strong>" in page.text
    assert "<td>b</td>" in page.text
    assert "<script>alert" not in page.text
    assert 'href="javascript' not in page.text
    assert "hidden" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_form_writes_a_comment_and_a_foreign_site_does_not(
    azure_devops: RunningAzureDevOps,
) -> None:
    form = {"user": seed.JAMAL.id, "content": "/help\r\nplease"}
    url = page_url(azure_devops)
    foreign = {"Origin": "https://evil.example"}
    assert requests.post(url, data=form, headers=foreign, timeout=10).status_code == 403
    own = {"Origin": azure_devops.url}
    answer = requests.post(url, data=form, headers=own, timeout=10, allow_redirects=False)
    assert answer.status_code == 303
    threads = Client(azure_devops).git("GET", "pullRequests/1/threads").json()["value"]
    assert [one["comments"][0]["content"] for one in threads] == ["/help\nplease"]
    nobody = {"user": "nobody", "content": "x"}
    assert requests.post(url, data=nobody, headers=own, timeout=10).status_code == 400
