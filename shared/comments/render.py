"""Renders every comment and pull request text from its template, in the language of the operators.

Templates are files (`templates/{language}`): words are data. `words.toml` holds the names of states
and causes and, for each error code or area, what it means and what to do next.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shared.comments.amounts import NumberSigns, write_count, write_usd
from shared.comments.marker import CommentKind, JobEnd, write_end, write_marker
from shared.comments.view import JobView, VariantView
from shared.domain.clarification import ANSWER_LENGTH_MAX, ClarifyingQuestion
from shared.domain.credentials import mask_credentials
from shared.domain.limits import Limit
from shared.policy.markdown import fence_block, neutralise_inline
from shared.policy.vagueness import Question

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGES: Final = ("en", "de")
MAX_DESCRIPTION: Final = 4000
"""Characters of a pull request's description.
Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/create"""
MAX_TITLE: Final = 200
MAX_NAMES: Final = 5
"""Files named in one option of a question."""

_TEMPLATES: Final = Path(__file__).with_name("templates")


class CommentWriter:
    """Writes the texts of one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"no texts in {language!r}")
        self._language = language

    def write_status(self, job: JobView) -> str:
        """Write the comment that is edited in place: the table of variants."""
        return self._render("status", job.id, CommentKind.STATUS, job=job)

    def write_final(self, job: JobView) -> str:
        """Write the last reply: the comparison, or why there is none."""
        end = JobEnd(job.status, {row.number: row.status for row in job.variants})
        return f"{self._render('final', job.id, CommentKind.FINAL, job=job)}{write_end(end)}\n"

    def write_help(self, job_id: str, *, default_variants: int, max_variants: int) -> str:
        """Write the answer to `/help`."""
        return self._render(
            "help", job_id, CommentKind.ANSWER, default=default_variants, most=max_variants
        )

    def write_job_list(self, job_id: str, jobs: tuple[JobView, ...]) -> str:
        """Write the answer to `/status`."""
        return self._render("jobs", job_id, CommentKind.ANSWER, jobs=jobs)

    def write_cancelled(self, job_id: str, count: int) -> str:
        """Write the answer to `/cancel`."""
        return self._render("cancelled", job_id, CommentKind.ANSWER, count=count)

    def word_question(self, question: Question) -> ClarifyingQuestion:
        """Put a question of the rules into words."""
        words = _load_words(self._language)
        options = tuple(
            words["options"][option.kind].format(
                count=len(option.paths),
                names=", ".join(option.paths[:MAX_NAMES])
                + (", …" if len(option.paths) > MAX_NAMES else ""),
            )
            for option in question.options
        )
        return ClarifyingQuestion(
            words["questions"][question.reason].format(name=question.subject),
            options,
            likeliest=min(1, len(options)),
        )

    def word_limit(self, limit: Limit, free_at: datetime | None) -> str:
        """Put a limit that leaves no room into words, with the time when there is room again."""
        words = _load_words(self._language)["limits"]
        if free_at is None:
            return str(words["too_many"].format(most=limit.most))
        seconds = round(limit.window.total_seconds())
        unit, count = ("minutes", seconds // 60) if seconds % 60 == 0 else ("seconds", seconds)
        # shown to the second, and never a second too early
        until = (free_at.astimezone(UTC) + timedelta(seconds=1)).strftime("%H:%M:%S")
        return str(
            words[limit.name].format(
                most=limit.most, span=words[unit].format(count=count), until=until
            )
        )

    def word_pause(self, note: str) -> str:
        """Put into words that no job is started, with what the operators say of it."""
        words = _load_words(self._language)["pause"]
        return str(words["noted"].format(note=note) if note else words["plain"])

    def write_question(self, job: JobView, *, number: int, most: int) -> str:
        """Write the question of a round (from 1) to the author of the command."""
        rounds = job.clarification.rounds
        return self._render(
            "question",
            job.id,
            CommentKind.QUESTION,
            part=number,
            question=rounds[number - 1].question,
            fault=rounds[number - 2].fault if number > 1 else None,
            number=number,
            most=most,
            longest=ANSWER_LENGTH_MAX,
            wait_s=job.clarify_wait_s,
        )

    def write_refusal(self, job_id: str, correlation_id: str, code: str, message: str) -> str:
        """Write why a command is not carried out, and what to do next."""
        return self._render(
            "refusal",
            job_id,
            CommentKind.ANSWER,
            code=code,
            message=message,
            correlation_id=correlation_id,
        )

    def write_title(self, job: JobView, variant: VariantView) -> str:
        """Write the title of a draft pull request, on one line."""
        words = mask_credentials(" ".join(job.intent.split()))
        title = f"[v{variant.number}] {words}"
        return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…"

    def write_description(self, job: JobView, variant: VariantView, origin: int) -> str:
        """Write the description of a draft pull request, 4,000 characters at the most."""
        text = ""
        for most in (2000, 1200, 600, 200):
            text = self._render(
                "pull_request",
                job.id,
                CommentKind.PULL_REQUEST,
                most=most,
                job=job,
                variant=variant,
                origin=origin,
            )
            if len(text) <= MAX_DESCRIPTION:
                break
        return text[:MAX_DESCRIPTION]

    def write_status_line(self, job: JobView) -> str:
        """Write the description of the pull request status: one short line."""
        return self._environment.get_template("status_line.j2").render(job=job).strip()[:200]

    def _render(
        self,
        name: str,
        job_id: str,
        kind: CommentKind,
        *,
        part: int | None = None,
        **arguments: Any,
    ) -> str:
        body = self._environment.get_template(f"{name}.md.j2").render(**arguments)
        return f"{write_marker(job_id, kind, part)}\n{body.strip()}\n"

    @property
    def _environment(self) -> "Environment":
        return _load_environment(self._language)


@cache
def _load_words(language: str) -> dict[str, Any]:
    return tomllib.loads((_TEMPLATES / language / "words.toml").read_text(encoding="utf-8"))


@cache
def _load_environment(language: str) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES / language),
        autoescape=False,  # noqa: S701 - Markdown: the filter `inline` neutralises what comes from outside
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = _load_words(language)
    signs = NumberSigns(**words["numbers"])
    environment.filters |= {
        "count": partial(write_count, signs=signs),
        "usd": partial(write_usd, signs=signs),
        "inline": neutralise_inline,
        "fence": fence_block,
        "duration": _write_duration,
    }
    environment.globals |= {
        "state": words["states"],
        "cause": words["causes"],
        "explain": lambda code, message: _explain(words["errors"], code, message),
    }
    return environment


def _explain(errors: Mapping[str, Mapping[str, str]], code: str, message: str) -> dict[str, str]:
    """Find the words for an error: those of its code, else those of its area."""
    own = errors.get(code, {})
    area = errors.get(code.partition(".")[0], {})
    return {
        "say": own.get("say") or area.get("say") or message,
        "do": own.get("do") or area.get("do", ""),
    }


def _write_duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"  # noqa: RUF001 - an empty cell, as people write it
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
