"""The pages a person looks at: what there is, and a pull request with diff and conversation."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from local.azure_devops import threads
from local.azure_devops.errors import ServiceError
from local.azure_devops.organisation import PULL_REQUEST, Organisation
from local.azure_devops.pull_requests import build_page_url
from local.azure_devops.records import Document

PATH: Final = re.compile(
    r"(?P<project>[^/]+)/_git/(?P<repository>[^/]+)/pullrequest/(?P<number>\d{1,9})/?"
)
_HIDDEN: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'",
    "Cache-Control": "no-store",
}


def show_index(organisation: Organisation) -> web.Response:
    """List repositories and pull requests."""
    repositories = []
    for repository in organisation.records.all("repository"):
        project = organisation.find_project(repository["projectId"])
        path = f"{quote(project['name'], safe='')}/_git/{quote(repository['name'], safe='')}"
        repositories.append(
            {
                "name": f"{project['name']} / {repository['name']}",
                "url": f"{organisation.url}/{path}",
                "requests": [
                    one | {"page": build_page_url(organisation, one)}
                    for one in reversed(organisation.records.all("pull_request"))
                    if one["repositoryId"] == repository["id"]
                ],
            }
        )
    return _render("index.html", name=organisation.name, repositories=repositories)


async def handle(
    organisation: Organisation, request: web.Request, match: re.Match[str]
) -> web.Response:
    """Show a pull request, or take a comment from its form."""
    try:
        repository = _find_repository(organisation, match)
        pull_request = organisation.find_pull_request(int(match["number"]), repository["id"])
        if request.method == "POST":
            await _take_comment(organisation, request, repository, pull_request)
            there = {"Location": build_page_url(organisation, pull_request)}
            return web.Response(status=303, headers=there)
    except ServiceError as refusal:
        return web.Response(status=refusal.status, text=refusal.message)
    return _show_pull_request(organisation, repository, pull_request)


def _find_repository(organisation: Organisation, match: re.Match[str]) -> Document:
    project = organisation.find_project(unquote(match["project"]))
    wanted = unquote(match["repository"]).lower()
    for repository in organisation.records.all("repository"):
        names = (repository["name"].lower(), repository["id"])
        if repository["projectId"] == project["id"] and wanted in names:
            return repository
    raise ServiceError(404, "GitRepositoryNotFoundException", "There is no such repository.")


async def _take_comment(
    organisation: Organisation, request: web.Request, repository: Document, pull_request: Document
) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin != organisation.base_url:
        raise ServiceError(403, "Forbidden", "The form was sent from another site.")
    form = await request.post()
    user = organisation.records.get("user", str(form.get("user", "")))
    content = str(form.get("content", "")).replace("\r\n", "\n").strip()
    if user is None or not content:
        raise ServiceError(400, "InvalidArgumentValueException", "Who says what?")
    organisation.require(user, repository, PULL_REQUEST)
    body = {"comments": [{"content": content, "commentType": 1}], "status": "active"}
    threads.begin_thread(organisation, pull_request, user, body)


def _show_pull_request(
    organisation: Organisation, repository: Document, pull_request: Document
) -> web.Response:
    store = organisation.open_store(repository["id"])
    latest = pull_request["iterations"][-1]
    diff = store.write_diff(latest["common"] or latest["target"], latest["source"])
    statuses = (organisation.records.get("statuses", pull_request["id"]) or {}).get("list", [])
    names = {user["id"]: user["displayName"] for user in organisation.records.all("user")}
    drafts = [
        one | {"page": build_page_url(organisation, one)}
        for one in organisation.records.all("pull_request")
        if one["repositoryId"] == repository["id"]
        and one["targetRefName"] == pull_request["sourceRefName"]
    ]
    conversation = [
        thread | {"shown": [_show_comment(one, names) for one in thread["comments"]]}
        for thread in threads.list_threads_of(organisation, pull_request["id"])
    ]
    return _render(
        "pull_request.html",
        pull_request=pull_request,
        author=names.get(pull_request["createdBy"], "?"),
        description=_render_markdown(pull_request["description"]),
        latest={one["context"]["name"]: one for one in statuses},
        drafts=drafts,
        conversation=conversation,
        lines=[(_classify(line), line) for line in diff.splitlines()],
        people=[user for user in organisation.records.all("user") if not user["isAgent"]],
        home=organisation.url,
    )


def _show_comment(comment: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {
        "author": names.get(comment["authorId"], "?"),
        "at": comment["publishedDate"][:19].replace("T", " "),
        "edited": comment["lastContentUpdatedDate"] != comment["publishedDate"],
        "html": "" if comment["isDeleted"] else _render_markdown(comment["content"]),
    }


def _render_markdown(text: str) -> str:
    """Render Markdown safely: HTML is shown as text, HTML comments are not shown."""
    return str(_load_markdown().render(_HIDDEN.sub("", text)))


@cache
def _load_markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")


def _classify(line: str) -> str:
    if line.startswith(("diff ", "index ", "--- ", "+++ ", "new ", "deleted ", "similarity ")):
        return "meta"
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same")


@cache
def _load_environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, **arguments: Any) -> web.Response:
    text = _load_environment().get_template(template).render(**arguments)
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
