"""Who an operator is to Azure DevOps."""

import os
from collections.abc import Mapping
from typing import Final

from shared.ado.credentials import AdoCredential, EntraCredential, PatCredential
from shared.ado.errors import AdoError

TOKEN_VARIABLE: Final = "AZURE_DEVOPS_EXT_PAT"  # noqa: S105 - the name that the Azure CLI gave it
_OF_OPERATORS: Final[Mapping[str, str]] = {
    "ado.unauthenticated": (
        f"Azure DevOps does not accept you: is {TOKEN_VARIABLE} good, or are you signed in"
        " (`az login`)?"
    ),
    "ado.forbidden": "You may not do this in Azure DevOps.",
    "ado.not_found": "Azure DevOps has no such thing, or you may not see it.",
}
"""What errors say of the agent in their own words, said of whoever uses a command."""


def choose_operator() -> AdoCredential:
    """Answer who asks Azure DevOps: a token of the operator's own, else who is signed in."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    return PatCredential(lambda: token) if token else EntraCredential()


def explain(error: AdoError) -> str:
    """Say to an operator what Azure DevOps did not do for them."""
    return _OF_OPERATORS.get(error.code, error.message)
