"""Writes what models are told. The words are files in `prompts/`; a snapshot test keeps them.

What every variant of a job is told comes first and is equal to the byte, so that a provider reads
it from its cache. Whatever other people wrote stands between marks with an unguessable part.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shared.context.pack import show_path
from shared.domain.credentials import MASK, mask_credentials
from shared.llm.provider import DraftRequest
from shared.llm.strategies import STRATEGIES, find_strategy

if TYPE_CHECKING:
    from jinja2 import Environment

PROMPT_VERSION: Final = "5"
"""Part of the key of cached results: raise it with every change of a word that a model reads."""

_PROMPTS: Final = Path(__file__).with_name("prompts")


def write_system(edit_format: str, tool_rounds: int) -> str:
    """Write what is the same for every job."""
    return _render("system.md.j2", edit_format=edit_format, tool_rounds=tool_rounds, mask=MASK)


def write_shared(request: DraftRequest) -> str:
    """Write what is the same for every variant of a job: everything that it is shown.

    Raises:
        ValueError: the data contains its own mark, or there is no mark.
    """
    return write_data(
        nonce=request.nonce,
        pull_request=request.pull_request,
        context_text=request.context_text,
        thread_path=request.thread_path,
        thread_lines=request.thread_lines,
    )


def write_data(
    *,
    nonce: str,
    pull_request: str,
    context_text: str,
    thread_path: str | None,
    thread_lines: tuple[int, int] | None,
) -> str:
    """Write data between its marks, without the credentials in it."""
    if not nonce or any(nonce in text for text in (pull_request, context_text, thread_path or "")):
        raise ValueError("data needs marks that are not in it")
    return _render(
        "shared.md.j2",
        nonce=nonce,
        pull_request=mask_credentials(pull_request),
        context_text=mask_credentials(context_text),
        thread_path=show_path(thread_path) if thread_path else None,
        thread_lines=thread_lines,
    )


def mark_data(text: str, nonce: str) -> str:
    """Put what other people wrote between its marks."""
    return f"<data-{nonce}>\n{text}\n</data-{nonce}>"


def write_request(request: DraftRequest, edit_format: str) -> str:
    """Write what is one variant's own: the command and its strategy."""
    others = [
        strategy.title
        for strategy in STRATEGIES[: request.variants]
        if strategy.id != request.strategy
    ]
    return _render(
        "request.md.j2",
        intent=mask_credentials(request.intent),
        variant=request.variant,
        variants=request.variants,
        approach=read_approach(request.strategy),
        others=" ".join(others),
        edit_format=edit_format,
    )


def write_survey(request: DraftRequest) -> str:
    """Write what is asked before the variants are drafted: the command, and to look around."""
    return _render("survey.md.j2", intent=mask_credentials(request.intent))


def write_repair(report: str, advice: str, left: int) -> str:
    """Write to the model what was wrong with its answer, and how many tries it has left."""
    return _render("repair.md.j2", report=mask_credentials(report), advice=advice, left=left)


def write_judging(language: str) -> str:
    """Write how a command is judged for clearness."""
    names = {"de": "German", "en": "English"}
    return _render("clarify.md.j2", language=names[language])


def read_approach(strategy_id: str) -> str:
    """Read what a strategy tells the model.

    Raises:
        ValueError: there is no such strategy.
    """
    if find_strategy(strategy_id) is None:
        raise ValueError(f"no strategy {strategy_id!r}")
    return _PROMPTS.joinpath("strategies", f"{strategy_id}.md").read_text("utf-8").strip()


def _render(template: str, **values: Any) -> str:
    return _load_environment().get_template(template).render(**values).strip() + "\n"


@cache
def _load_environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_PROMPTS),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (a prompt is no page: nothing in it is markup)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
