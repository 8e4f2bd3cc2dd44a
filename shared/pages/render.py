"""Renders pages from the shapes of `plain`. All is escaped, nothing is loaded from outside."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shared.comments.amounts import write_count, write_usd
from shared.domain.credentials import mask_credentials

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).with_name("templates")
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render_jobs(
    jobs: Sequence[Mapping[str, Any]], *, older: str | None, nonce: str, banner: str = ""
) -> str:
    """Render the list of jobs; `older` is the query of the next page, `banner` stands above."""
    refresh = _any_open(jobs)
    return _render("jobs.html", jobs=jobs, older=older, nonce=nonce, refresh=refresh, banner=banner)


def render_job(job: Mapping[str, Any], *, nonce: str, token: str = "", banner: str = "") -> str:
    """Render one job; the page renews itself until the job has ended.

    `token` is handed on to the job's other pages; whoever came with one sees no other job.
    """
    refresh = not job["is_final"]
    return _render("job.html", job=job, nonce=nonce, refresh=refresh, token=token, banner=banner)


def render_variant(
    job: Mapping[str, Any],
    variant: Mapping[str, Any],
    diff: str | None,
    *,
    nonce: str,
    token: str = "",
    banner: str = "",
) -> str:
    """Render one variant with its diff."""
    return _render(
        "variant.html",
        job=job,
        variant=variant,
        lines=_classify(diff),
        nonce=nonce,
        refresh=not variant["is_final"],
        token=token,
        banner=banner,
    )


def render_doctor(report: Mapping[str, Any], *, nonce: str) -> str:
    """Render what the doctor found."""
    return _render("doctor.html", report=report, nonce=nonce, refresh=False, banner="")


def render_problem(what: str, status_code: int, *, nonce: str) -> str:
    """Render the page for something that is not there, or not for whoever asks."""
    title = "Not found" if status_code == 404 else "Not for everybody"
    return _render("problem.html", title=title, what=what, nonce=nonce, refresh=False, banner="")


def _render(name: str, **arguments: Any) -> str:
    return _load_environment().get_template(name).render(**arguments)


@cache
def _load_environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_mask,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": write_count,
        "usd": lambda usd: write_usd(round(1_000_000 * usd)),
    }
    return environment


def _mask(value: Any) -> Any:
    """Remove credentials from every text that a page shows."""
    return mask_credentials(value) if type(value) is str else value


def _any_open(jobs: Sequence[Mapping[str, Any]]) -> bool:
    return any(not job["is_final"] for job in jobs)


def _classify(diff: str | None) -> list[tuple[str, str]]:
    """Give each line of a diff the class it is coloured by."""
    if not diff:
        return []
    classed: list[tuple[str, str]] = []
    in_hunk = False
    for line in diff.splitlines():
        if line.startswith("diff --git "):
            in_hunk = False
            kind = "file"
        elif line.startswith("@@"):
            in_hunk = True
            kind = "hunk"
        elif not in_hunk:
            kind = "meta"
        else:
            kind = {"+": "add", "-": "del"}.get(line[:1], "same")
        classed.append((kind, line))
    return classed
