"""Serves jobs and variants: HTML to whoever accepts it first, JSON to everybody else.

`access` decides who may see them. They only read: nothing is changed by a GET.
"""

import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func

from shared.composition import compose
from shared.domain.clock import parse_instant
from shared.domain.errors import StoreError
from shared.domain.links import TOKEN_PARAMETER
from shared.domain.states import JobStatus
from shared.gateway.access import StrangerError, require_access
from shared.gateway.failures import refuse_throttled
from shared.gateway.measure import counted
from shared.settings import SettingsError

if TYPE_CHECKING:
    from shared.domain.job import Job, Variant

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_JOB_ID: Final = re.compile(r"edit-[0-9a-f]{32}")


class _BadQueryError(ValueError):
    """A query parameter cannot be read; the message says which and what is expected."""


_Page = Callable[[func.HttpRequest], func.HttpResponse]


def serve(page: _Page) -> _Page:
    """Let in who may; answer 400 for a query that cannot be read, 503 when records are away."""

    @wraps(page)
    def show(request: func.HttpRequest) -> func.HttpResponse:
        try:
            require_access(request)
            return page(request)
        except StrangerError as error:
            if error.wait_s is not None:
                return refuse_throttled(error.wait_s)
            return _answer_problem(
                request, 401, "Follow the link in the job's comment, or sign in."
            )
        except _BadQueryError as error:
            return answer_json({"error": str(error)}, 400)
        except StoreError as error:
            return answer_json({"error": error.message}, 503)
        except SettingsError:
            return answer_json({"error": "The settings of the app cannot be used."}, 503)

    return show


@counted("/gateway/jobs")
@serve
def show_jobs(request: func.HttpRequest) -> func.HttpResponse:
    """List the latest jobs, newest first: `?limit=1..200&status=…&before=ISO-8601`."""
    limit, status, before = _read_query(request)
    listed = _load_jobs(limit + 1, status, before)
    plain = [_to_plain(job, rows) for job, rows in listed[:limit]]
    older = None
    if len(listed) > limit:
        older = {"before": plain[-1]["created_at"], "limit": str(limit)}
        older |= {"status": str(status)} if status else {}
    if not wants_html(request):
        return answer_json({"jobs": plain, "older": older})
    from urllib.parse import urlencode

    from shared.pages.render import render_jobs

    query = urlencode(older) if older else None
    banner = word_banner()
    return answer_html(lambda nonce: render_jobs(plain, older=query, nonce=nonce, banner=banner))


@counted("/gateway/jobs/{job_id}")
@serve
def show_job(request: func.HttpRequest) -> func.HttpResponse:
    """Show one job with its variants."""
    found = _load_job(request)
    if found is None:
        return _answer_problem(request, 404, "There is no such job.")
    plain = _to_plain(*found)
    if not wants_html(request):
        return answer_json(plain)
    from shared.pages.render import render_job

    token = request.params.get(TOKEN_PARAMETER, "")
    banner = word_banner()
    return answer_html(lambda nonce: render_job(plain, nonce=nonce, token=token, banner=banner))


@counted("/gateway/jobs/{job_id}/variants/{number}")
@serve
def show_variant(request: func.HttpRequest) -> func.HttpResponse:
    """Show one variant with its diff."""
    from shared.pages.plain import variant_to_plain

    found = _load_job(request)
    number = str(request.route_params.get("number", ""))
    row = _find_variant(found[1] if found else [], number)
    if found is None or row is None:
        return _answer_problem(request, 404, "There is no such variant.")
    diff = _load_diff(row)
    job, rows = found
    plain = variant_to_plain(job, row, rows, compose().settings.organisation_url)
    if not wants_html(request):
        return answer_json(plain | {"job_id": job.id, "diff": diff})
    from shared.pages.render import render_variant

    whole = _to_plain(job, rows)
    token = request.params.get(TOKEN_PARAMETER, "")
    banner = word_banner()
    return answer_html(
        lambda nonce: render_variant(whole, plain, diff, nonce=nonce, token=token, banner=banner)
    )


def word_banner() -> str:
    """Say what operators have turned, where it is not as it is by itself."""
    from shared.pages.plain import word_switches

    return word_switches(compose().read_switches())


def _read_query(request: func.HttpRequest) -> tuple[int, JobStatus | None, datetime | None]:
    limit_text = request.params.get("limit", str(PAGE_SIZE))
    if not limit_text.isascii() or not limit_text.isdigit():
        raise _BadQueryError("limit: a whole number expected")
    limit = min(max(int(limit_text[:6]), 1), MAX_PAGE_SIZE)
    status, before = request.params.get("status"), request.params.get("before")
    try:
        chosen = JobStatus(status) if status else None
    except ValueError:
        raise _BadQueryError(f"status: one of {', '.join(JobStatus)} expected") from None
    try:
        # a plus sign that was not encoded arrives as a blank
        moment = parse_instant(before.replace(" ", "+")) if before else None
    except ValueError:
        raise _BadQueryError("before: an ISO 8601 instant with a time zone expected") from None
    return limit, chosen, moment


def _load_jobs(
    limit: int, status: JobStatus | None, before: datetime | None
) -> "list[tuple[Job, list[Variant]]]":
    from shared.store import jobs, variants

    with compose().database.read() as connection:
        found = jobs.load_jobs(connection, limit=limit, before=before, status=status)
        rows = variants.load_variants_of(connection, [job.id for job in found])
        return [(job, rows[job.id]) for job in found]


def _load_job(request: func.HttpRequest) -> "tuple[Job, list[Variant]] | None":
    from shared.store import jobs, variants

    job_id = str(request.route_params.get("job_id", ""))
    if not _JOB_ID.fullmatch(job_id):
        return None
    with compose().database.read() as connection:
        job = jobs.load_job(connection, job_id)
        return None if job is None else (job, variants.load_variants(connection, job_id))


def _find_variant(rows: "list[Variant]", number: str) -> "Variant | None":
    return next((row for row in rows if str(row.number) == number), None)


def _load_diff(row: "Variant") -> str | None:
    from shared.domain.credentials import mask_credentials
    from shared.store import artifacts

    if row.patch_artifact is None:
        return None
    with compose().database.read() as connection:
        diff: str = json.loads(artifacts.get(connection, row.patch_artifact))["diff"]
    return mask_credentials(diff)


def _to_plain(job: "Job", rows: "list[Variant]") -> dict[str, Any]:
    from shared.pages.plain import job_to_plain

    return job_to_plain(job, rows, compose().settings.organisation_url)


def wants_html(request: func.HttpRequest) -> bool:
    """Answer whether HTML comes before JSON in what the caller accepts."""
    accept = str(request.headers.get("accept", "")).lower()
    html, plain = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and (plain < 0 or html < plain)


def _answer_problem(request: func.HttpRequest, status_code: int, what: str) -> func.HttpResponse:
    if not wants_html(request):
        return answer_json({"error": what}, status_code)
    from shared.pages.render import render_problem

    return answer_html(lambda nonce: render_problem(what, status_code, nonce=nonce), status_code)


def answer_json(body: Any, status_code: int = 200) -> func.HttpResponse:
    """Answer plain JSON, without credentials."""
    from shared.domain.credentials import mask_credentials

    return func.HttpResponse(
        mask_credentials(json.dumps(body, ensure_ascii=False)),
        status_code=status_code,
        mimetype="application/json",
        headers=dict(_HEADERS),
    )


def answer_html(render: Callable[[str], str], status_code: int = 200) -> func.HttpResponse:
    """Answer what `render` makes of the nonce by which alone its styles and scripts run."""
    from shared.pages.render import CONTENT_SECURITY_POLICY

    nonce = secrets.token_urlsafe(16)
    return func.HttpResponse(
        render(nonce),
        status_code=status_code,
        mimetype="text/html",
        headers={
            **_HEADERS,
            "Content-Security-Policy": CONTENT_SECURITY_POLICY.format(nonce=nonce),
        },
    )
