"""Every way in which Azure DevOps does not do what it was asked.

    AdoError (UpstreamError)
    ├─ ado.rate_limited            429, or a Retry-After that is still running        retry
    ├─ ado.unavailable             5xx, no connection, no answer in time              retry
    ├─ ado.outage                  an HTML page with status 200                       retry
    ├─ ado.unexpected_answer       JSON of another shape than documented              retry
    ├─ ado.read_only               operators let nothing be written just now            retry
    ├─ ado.unauthenticated         203, 302 or 401: the credential is not accepted    bug
    ├─ ado.rejected                any other refusal of a request of ours             bug
    ├─ ado.stale_ref               a ref is not where the push expected it            bug
    ├─ ado.branch_exists           a branch of our name holds somebody else's work    policy
    ├─ ado.branch_missing          the branch to merge from or into is gone           user
    ├─ ado.duplicate_pull_request  there is one for these branches already            bug
    ├─ ado.forbidden               the agent's account may not do this                policy
    ├─ ado.snapshot_too_large      the repository is larger than the setting allows   policy
    ├─ ado.snapshot_refused        an archive that no honest repository makes         policy
    └─ AdoNotFoundError            no such thing, or none that the agent may see      user

Messages are fixed sentences: what the service says may quote code, names or addresses.
"""

from typing import Final

from shared.domain.errors import UpstreamError, Verdict

_VERDICTS: Final = {
    "ado.unauthenticated": Verdict.BUG,
    "ado.rejected": Verdict.BUG,
    "ado.stale_ref": Verdict.BUG,
    "ado.branch_exists": Verdict.POLICY,
    "ado.branch_missing": Verdict.USER,
    "ado.duplicate_pull_request": Verdict.BUG,
    "ado.forbidden": Verdict.POLICY,
    "ado.snapshot_too_large": Verdict.POLICY,
    "ado.snapshot_refused": Verdict.POLICY,
    "ado.not_found": Verdict.USER,
}

_MESSAGES: Final = {
    "ado.rate_limited": "Azure DevOps asks to wait.",
    "ado.unavailable": "Azure DevOps is not available.",
    "ado.outage": "Azure DevOps answers with a page instead of data.",
    "ado.unexpected_answer": "Azure DevOps answers in a form that is not documented.",
    "ado.read_only": "The operators let nothing be written to Azure DevOps just now.",
    "ado.unauthenticated": "Azure DevOps does not accept the agent's credential.",
    "ado.rejected": "Azure DevOps refused a request of the agent.",
    "ado.stale_ref": "The branch is not where it was expected.",
    "ado.branch_exists": "A branch of the variant's name holds other work.",
    "ado.branch_missing": "The source or target branch does not exist any more.",
    "ado.duplicate_pull_request": "There is a pull request for these branches already.",
    "ado.forbidden": "The agent's account may not do this in Azure DevOps.",
    "ado.snapshot_too_large": "The repository is larger than the agent is set up for.",
    "ado.snapshot_refused": "The repository's archive cannot be read safely.",
    "ado.not_found": "What the command is about does not exist, or the agent may not see it.",
}


class AdoError(UpstreamError):
    """Azure DevOps did not do what it was asked; the table in the module's docstring says why."""

    def __init__(
        self,
        code: str,
        *,
        operation: str = "",
        status_code: int = 0,
        retry_after_s: float | None = None,
        had_no_effect: bool = False,
    ) -> None:
        super().__init__(
            code,
            _MESSAGES[code],
            verdict=_VERDICTS.get(code, Verdict.RETRY),
            retry_after_s=retry_after_s,
            facts={"operation": operation, "status_code": status_code},
        )
        self.had_no_effect = had_no_effect


class AdoNotFoundError(AdoError):
    """No such project, repository, pull request, thread or commit, or none that we may see."""

    def __init__(self, *, operation: str = "", status_code: int = 404) -> None:
        super().__init__(
            "ado.not_found", operation=operation, status_code=status_code, had_no_effect=True
        )
