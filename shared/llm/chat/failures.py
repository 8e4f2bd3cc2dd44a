"""Names what went wrong at a provider, by status, code and type; quotes nothing that was said.

The messages of the services can hold parts of a prompt or of a key, and the SDKs' exceptions repeat
them: they are looked at here, for marks that no code says, and go no further.

Sources: https://platform.claude.com/docs/en/api/errors
https://developers.openai.com/api/docs/guides/error-codes
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from shared.domain.circuit import MAX_RETRY_AFTER_S
from shared.domain.clock import read_utc_clock
from shared.llm.provider import ModelCode, ModelError, fail_at_provider

_BY_NAME: Final = {
    "authentication_error": ModelCode.CREDENTIAL_REFUSED,
    "permission_error": ModelCode.CREDENTIAL_REFUSED,
    "invalid_api_key": ModelCode.CREDENTIAL_REFUSED,
    "billing_error": ModelCode.QUOTA_EXHAUSTED,
    "insufficient_quota": ModelCode.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": ModelCode.QUOTA_EXHAUSTED,
    "billing_not_active": ModelCode.QUOTA_EXHAUSTED,
    "contract_spend_limit_reached": ModelCode.QUOTA_EXHAUSTED,
    "enforced_spend_limit_reached": ModelCode.QUOTA_EXHAUSTED,
    "linked_organization_spend_limit_reached": ModelCode.QUOTA_EXHAUSTED,
    "linked_organization_billing_unavailable": ModelCode.QUOTA_EXHAUSTED,
    "not_found_error": ModelCode.NOT_FOUND,
    "model_not_found": ModelCode.NOT_FOUND,
    "deploymentnotfound": ModelCode.NOT_FOUND,
    "context_length_exceeded": ModelCode.CONTEXT_TOO_LONG,
    "request_too_large": ModelCode.CONTEXT_TOO_LONG,
    "content_filter": ModelCode.DECLINED,
    "content_policy_violation": ModelCode.DECLINED,
    "responsibleaipolicyviolation": ModelCode.DECLINED,
    "invalid_prompt": ModelCode.DECLINED,
    "bio_policy": ModelCode.DECLINED,
    "misalignment_policy_violation": ModelCode.DECLINED,
    "rate_limit_error": ModelCode.RATE_LIMITED,
    "rate_limit_exceeded": ModelCode.RATE_LIMITED,
    "overloaded_error": ModelCode.OVERLOADED,
    "server_overloaded": ModelCode.OVERLOADED,
    "timeout_error": ModelCode.TIMEOUT,
    # it cannot open what it sealed itself: a fault of its own, which a new conversation escapes
    "invalid_encrypted_content": ModelCode.UNAVAILABLE,
}
"""What a code or type says more exactly than the status.
`anthropic/types/shared/*_error_details.py` has the codes of spending limits,
`openai/types/responses/response_error.py` those of a response that failed."""

_BY_MARK: Final = (
    ("prompt is too long", ModelCode.CONTEXT_TOO_LONG),
    ("context length", ModelCode.CONTEXT_TOO_LONG),
    ("context limit", ModelCode.CONTEXT_TOO_LONG),
    ("context window", ModelCode.CONTEXT_TOO_LONG),
    ("credit balance is too low", ModelCode.QUOTA_EXHAUSTED),
    ("api usage limits", ModelCode.QUOTA_EXHAUSTED),
)
"""What only the message of a 400 says: Anthropic has no code for it, nor do vLLM and its like."""

_BY_STATUS: Final = {
    400: ModelCode.REQUEST_REFUSED,
    401: ModelCode.CREDENTIAL_REFUSED,
    402: ModelCode.QUOTA_EXHAUSTED,
    403: ModelCode.CREDENTIAL_REFUSED,
    404: ModelCode.NOT_FOUND,
    405: ModelCode.NOT_FOUND,
    408: ModelCode.TIMEOUT,
    413: ModelCode.CONTEXT_TOO_LONG,
    422: ModelCode.REQUEST_REFUSED,
    429: ModelCode.RATE_LIMITED,
    503: ModelCode.OVERLOADED,
    504: ModelCode.TIMEOUT,
    529: ModelCode.OVERLOADED,
}

_SAYINGS: Final = {
    ModelCode.CREDENTIAL_REFUSED: "does not accept the key or identity",
    ModelCode.QUOTA_EXHAUSTED: "says that credit or quota are used up",
    ModelCode.NOT_FOUND: "has no such model, deployment or address",
    ModelCode.CONTEXT_TOO_LONG: "takes no prompt as long as this one",
    ModelCode.DECLINED: "declined the request by its content filter",
    ModelCode.RATE_LIMITED: "has reached its rate limit",
    ModelCode.OVERLOADED: "has too much to do",
    ModelCode.TIMEOUT: "did not reply in time",
    ModelCode.REQUEST_REFUSED: "calls the request malformed",
    ModelCode.UNAVAILABLE: "is not available",
}

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PARAMETERS: Final = (
    *("temperature", "tool_choice", "max_tokens", "prompt_cache_breakpoint", "reasoning_effort"),
    *("reasoning.effort", "effort"),
)
"""Parameters that a model may not accept, and that `ChatSpec` can turn off or on."""


def fail_by_refusal(
    provider: str, status: int, body: object, headers: Mapping[str, str]
) -> ModelError:
    """Name a refusal; `status` is 200 where it came in the middle of a stream."""
    error = _find_error(body)
    names = list(_list_names(error))
    code = _choose_code(status, names, str(error.get("message", "")).lower())
    reason = next((name for name in names if not name.isdigit()), "")
    details = f"HTTP {status}, {reason}" if reason else f"HTTP {status}"
    parameter = _find_parameter(error) if code is ModelCode.REQUEST_REFUSED else ""
    about = f", about `{parameter}`" if parameter else ""
    facts: dict[str, str | int | float | bool] = {"provider": provider, "status": status}
    if reason:
        facts["reason"] = reason
    request_id = headers.get("request-id") or headers.get("x-request-id") or ""
    if _IDENTIFIER.fullmatch(request_id):
        facts["request_id"] = request_id
    return fail_at_provider(
        code,
        f"{provider} {_SAYINGS[code]} ({details}{about}).",
        retry_after_s=read_retry_after(headers),
        facts=facts,
    )


def fail_without_answer(provider: str, *, is_late: bool) -> ModelError:
    """Name a connection that could not be made or did not hold, or that was silent too long."""
    if is_late:
        return fail_at_provider(
            ModelCode.TIMEOUT,
            f"{provider} was silent for too long.",
            facts={"provider": provider},
        )
    return fail_at_provider(
        ModelCode.UNAVAILABLE,
        f"{provider} was not reached, or the connection broke.",
        facts={"provider": provider},
    )


def fail_in_the_middle(provider: str) -> ModelError:
    """Name a reply that ended before its end, or that is none."""
    return fail_at_provider(
        ModelCode.UNAVAILABLE,
        f"The reply of {provider} broke off.",
        facts={"provider": provider},
    )


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait: `retry-after-ms`, or `retry-after` as seconds or as a date.

    Sources: RFC 9110, 10.2.3; Azure sends milliseconds too, `openai/_base_client.py` reads both.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        return _limit(seconds)
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
        return _limit((moment - read_utc_clock()).total_seconds())
    except (ValueError, TypeError):
        return None


def _limit(seconds: float) -> float | None:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if seconds == seconds else None  # noqa: PLR0124 - NaN


def _find_error(body: object) -> Mapping[str, Any]:
    """Answer what describes the error: OpenAI's SDK has unpacked it, Anthropic's has not."""
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else body


def _list_names(error: Mapping[str, Any]) -> Iterator[str]:
    """Give the error's names, the most exact ones first."""
    details, inner = error.get("details"), error.get("innererror")
    for holder, key in ((details, "error_code"), (inner, "code"), (error, "code"), (error, "type")):
        value = holder.get(key) if isinstance(holder, Mapping) else None
        if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
            yield value


def _choose_code(status: int, names: list[str], message: str) -> ModelCode:
    for name in names:
        if name.lower() in _BY_NAME:
            return _BY_NAME[name.lower()]
    if status == 400:
        for mark, code in _BY_MARK:
            if mark in message:
                return code
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return ModelCode.NOT_FOUND
    return ModelCode.REQUEST_REFUSED if 400 <= status < 500 else ModelCode.UNAVAILABLE


def _find_parameter(error: Mapping[str, Any]) -> str:
    told = f"{error.get('param') or ''} {error.get('message') or ''}"
    return next((name for name in _PARAMETERS if name in told), "")
