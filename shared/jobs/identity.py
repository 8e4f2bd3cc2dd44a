"""Who the app is to Azure where it needs no secret."""

import os


def open_identity() -> object:
    """Open the managed identity: the one that `AZURE_CLIENT_ID` names, else the host's own."""
    from shared.secrets import azure_vault

    return azure_vault.open_identity(os.environ.get("AZURE_CLIENT_ID", ""))
