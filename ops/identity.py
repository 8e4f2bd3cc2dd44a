"""Who an operator is to Azure DevOps."""

import os
from typing import Final

from shared.ado.credentials import AdoCredential, EntraCredential, PatCredential

TOKEN_VARIABLE: Final = "AZURE_DEVOPS_EXT_PAT"  # noqa: S105 - the name that the Azure CLI gave it


def choose_operator() -> AdoCredential:
    """Answer who asks Azure DevOps: a token of the operator's own, else who is signed in."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    return PatCredential(lambda: token) if token else EntraCredential()
