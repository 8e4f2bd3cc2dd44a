"""Opens the app's records for an operator."""

from shared.domain.errors import StoreError
from shared.settings import Settings, SettingsError
from shared.settings.vault import DATABASE_MARK
from shared.store.database import Database


def open_database(settings: Settings) -> Database:
    """Open the database that the settings name.

    Raises:
        SettingsError: its address is in the vault, for the app's identity alone, or is none.
    """
    if settings.database_url == DATABASE_MARK:
        raise SettingsError(
            "CODE_AGENT_DATABASE_URL: an address expected; the vault's is for the app's identity"
        )
    try:
        return Database(settings.database_url, settings.database)
    except StoreError as error:
        raise SettingsError(f"CODE_AGENT_DATABASE_URL: {error.message}") from None
