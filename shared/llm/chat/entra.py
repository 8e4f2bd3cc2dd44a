"""Who the agent is to Azure OpenAI without a key: a token of the managed identity.

The identity needs the role "Cognitive Services OpenAI User" on the resource.
Source: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from shared.llm.provider import ModelCode, fail_at_provider

SCOPE: Final = "https://cognitiveservices.azure.com/.default"


class EntraTokens:
    """Tokens for Azure OpenAI; asked for when first needed, kept and renewed by azure-identity."""

    def __init__(self, open_credential: Callable[[], Any]) -> None:
        """Take what makes a credential of azure-identity, such as `ManagedIdentityCredential`."""
        self._open_credential = open_credential
        self._lock = threading.Lock()
        self._provide: Callable[[], str] | None = None

    def __call__(self) -> str:
        """Answer a token that is good now.

        Raises:
            ModelError: `model.credential_refused`, when Entra gives none.
        """
        # imported late: Entra's libraries cost a cold start more than everything else together
        from azure.core.exceptions import AzureError
        from azure.identity import get_bearer_token_provider

        with self._lock:
            if self._provide is None:
                self._provide = get_bearer_token_provider(self._open_credential(), SCOPE)
        try:
            return self._provide()
        except AzureError:
            reason = "Entra gives no token for Azure OpenAI."
        raise fail_at_provider(ModelCode.CREDENTIAL_REFUSED, reason)
