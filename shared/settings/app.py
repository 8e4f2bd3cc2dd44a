"""The operators' settings: environment variables, read once and checked whole. No secrets.

`local.settings.sample.json` lists them with sensible values; docs/settings.md explains each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from shared.domain.clarification import MAX_ROUNDS
from shared.domain.commands import MAX_VARIANTS
from shared.domain.limits import RateLimits
from shared.settings.canary import CanarySettings, read_canary_settings
from shared.settings.database import DatabaseSettings, read_database_settings
from shared.settings.models import ModelSettings, read_model_settings
from shared.settings.patches import PatchSettings, read_patch_settings
from shared.settings.reader import Reader, SettingsError
from shared.settings.recovery import RecoverySettings, read_recovery_settings
from shared.settings.retention import RetentionSettings, read_retention_settings
from shared.settings.telemetry import TelemetrySettings, read_telemetry_settings
from shared.settings.vault import DATABASE_MARK, VaultSettings, read_vault_settings

VERSION: Final = "0.1.0"
"""Overridden by the build through CODE_AGENT_VERSION."""

_VISUAL_STUDIO: Final = ".visualstudio.com"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What operators decide. Units are in the names."""

    organisation_url: str
    """`https://dev.azure.com/{org}`, `https://{org}.visualstudio.com`, or a loopback stand-in."""
    organisation: str
    ado_authentication: str
    """`pat` or `managed-identity`."""
    database_url: str
    """Or `keyvault:database-url`, when it is a secret of the vault."""
    vault: VaultSettings
    database: DatabaseSettings
    retention: RetentionSettings
    telemetry: TelemetrySettings
    canary: CanarySettings | None
    """None when it is off."""
    recovery: RecoverySettings
    task_hub: str
    """Of Durable Functions; `host.json` reads the same variable."""
    data_directory: Path
    allowed_users: frozenset[str]
    allowed_groups: frozenset[str]
    open_repositories: frozenset[str]
    allowed_repositories: frozenset[str]
    models: ModelSettings
    patches: PatchSettings
    default_variants: int
    max_variants: int
    max_running_jobs: int
    switch_ttl_s: float
    """How long a process goes by what it knows of the operators' switches."""
    variant_timeout_s: float
    ado_tries: int
    model_tries: int
    clarify_wait_s: float
    """How long an answer to a question is waited for; 0: nothing is asked."""
    clarify_rounds: int
    """Questions to the author of one request; 0: nothing is asked."""
    retry_first_delay_s: float
    retry_max_delay_s: float
    context_tokens: int
    snapshot_max_bytes: int
    public_url: str
    """Where people reach the gateway, without a trailing slash; empty when there are no links."""
    trusted_proxy_hops: int
    """Proxies of ours before the app, each of which adds an entry to `X-Forwarded-For`."""
    pages_access: str
    """`protected`, or `open` to whoever reaches the app: only beside a stand-in on loopback."""
    pages_easy_auth: bool
    """Whether App Service authentication stands before the app and sets the principal's header."""
    link_days: float
    """How long a link to a job's page opens it."""
    limits: RateLimits
    language: str
    environment: str
    version: str

    def to_budget(self, tries: int) -> dict[str, float]:
        """Build the plain retry budget that orchestrators take."""
        return {
            "tries": tries,
            "first_delay_s": self.retry_first_delay_s,
            "max_delay_s": self.retry_max_delay_s,
        }


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises:
        SettingsError: naming every setting that is missing or wrong.
    """
    reader = Reader(environment)
    organisation_url = reader.text("AZURE_DEVOPS_ORGANISATION_URL").rstrip("/")
    organisation = _read_organisation(organisation_url, reader)
    directory = Path(reader.text("CODE_AGENT_DATA_DIR", ".local/app"))
    cap = reader.whole("CODE_AGENT_MAX_VARIANTS", MAX_VARIANTS, 1, MAX_VARIANTS)
    vault = read_vault_settings(reader)
    settings = Settings(
        organisation_url=organisation_url,
        organisation=organisation,
        ado_authentication=reader.choice(
            "AZURE_DEVOPS_AUTHENTICATION", ("pat", "managed-identity")
        ),
        database_url=reader.text(
            "CODE_AGENT_DATABASE_URL", f"sqlite:///{directory / 'code-agent.db'}"
        ),
        vault=vault,
        database=read_database_settings(reader),
        retention=read_retention_settings(reader),
        telemetry=read_telemetry_settings(reader),
        canary=read_canary_settings(reader),
        recovery=read_recovery_settings(reader),
        task_hub=reader.text("TASKHUB_NAME")[:50],
        data_directory=directory,
        allowed_users=reader.names("CODE_AGENT_ALLOWED_USERS"),
        allowed_groups=reader.names("CODE_AGENT_ALLOWED_GROUPS"),
        open_repositories=reader.names("CODE_AGENT_OPEN_REPOSITORIES"),
        allowed_repositories=reader.names("CODE_AGENT_ALLOWED_REPOSITORIES"),
        models=read_model_settings(reader),
        patches=read_patch_settings(reader),
        default_variants=min(reader.whole("CODE_AGENT_DEFAULT_VARIANTS", 3, 1, MAX_VARIANTS), cap),
        max_variants=cap,
        max_running_jobs=reader.whole("CODE_AGENT_MAX_RUNNING_JOBS", 10, 1, 1000),
        switch_ttl_s=reader.number("CODE_AGENT_SWITCH_TTL_S", 10, 0, 30),
        variant_timeout_s=reader.number("CODE_AGENT_VARIANT_TIMEOUT_S", 480, 5, 1500),
        ado_tries=reader.whole("CODE_AGENT_ADO_TRIES", 5, 1, 20),
        model_tries=reader.whole("CODE_AGENT_MODEL_TRIES", 3, 1, 20),
        clarify_wait_s=reader.number("CODE_AGENT_CLARIFY_WAIT_S", 300, 0, 86_400),
        clarify_rounds=reader.whole("CODE_AGENT_CLARIFY_ROUNDS", MAX_ROUNDS, 0, MAX_ROUNDS),
        retry_first_delay_s=reader.number("CODE_AGENT_RETRY_FIRST_DELAY_S", 2, 0.01, 60),
        retry_max_delay_s=reader.number("CODE_AGENT_RETRY_MAX_DELAY_S", 60, 0.01, 600),
        context_tokens=reader.whole("CODE_AGENT_CONTEXT_TOKENS", 60_000, 1_000, 1_000_000),
        snapshot_max_bytes=reader.whole(
            "CODE_AGENT_SNAPSHOT_MAX_BYTES", 2_000_000_000, 1_000_000, 100_000_000_000
        ),
        public_url=reader.text("CODE_AGENT_PUBLIC_URL").rstrip("/"),
        trusted_proxy_hops=reader.whole("CODE_AGENT_TRUSTED_PROXY_HOPS", 0, 0, 10),
        pages_access=_read_access(organisation_url, reader),
        pages_easy_auth=reader.choice("CODE_AGENT_PAGES_EASY_AUTH", ("false", "true")) == "true",
        link_days=reader.number("CODE_AGENT_LINK_DAYS", 30, 0.01, 366),
        limits=RateLimits(
            user_jobs=reader.whole("CODE_AGENT_LIMIT_USER_JOBS", 10, 0, 1000),
            user_window_s=reader.whole("CODE_AGENT_LIMIT_USER_WINDOW_S", 300, 1, 86_400),
            user_answers=reader.whole("CODE_AGENT_LIMIT_USER_ANSWERS", 20, 0, 1000),
            repository_variants=reader.whole("CODE_AGENT_LIMIT_REPOSITORY_VARIANTS", 50, 0, 1000),
            organisation_variants=reader.whole(
                "CODE_AGENT_LIMIT_ORGANISATION_VARIANTS", 0, 0, 1000
            ),
        ),
        language=reader.choice("CODE_AGENT_LANGUAGE", ("en", "de")),
        environment=reader.text("CODE_AGENT_ENVIRONMENT", "local"),
        version=reader.text("CODE_AGENT_VERSION", VERSION),
    )
    if settings.database_url.startswith("keyvault:") and not (
        vault.url and settings.database_url == DATABASE_MARK
    ):
        reader.faults.append(
            f"CODE_AGENT_DATABASE_URL: only {DATABASE_MARK}, and CODE_AGENT_KEY_VAULT_URL with it"
        )
    if reader.faults:
        raise SettingsError("; ".join(reader.faults))
    return settings


def _read_access(organisation_url: str, reader: Reader) -> str:
    """Read who may see the pages; they are open only where all is on one machine."""
    is_stand_in = (urlsplit(organisation_url).hostname or "") in _LOOPBACK
    default = "open" if is_stand_in else "protected"
    access = reader.text("CODE_AGENT_PAGES", default)
    if access == "protected" or (access == "open" and is_stand_in):
        return access
    reader.faults.append(
        "CODE_AGENT_PAGES: protected expected (open beside an organisation on loopback only)"
    )
    return "protected"


def _read_organisation(url: str, reader: Reader) -> str:
    """Take the organisation's name out of its URL; only Azure DevOps itself and loopback count."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    first = unquote(parts.path.strip("/").partition("/")[0])
    if parts.scheme == "https" and host.endswith(_VISUAL_STUDIO):
        return host.removesuffix(_VISUAL_STUDIO)
    trusted = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if trusted and first and parts.username is None:
        return first
    reader.faults.append(
        "AZURE_DEVOPS_ORGANISATION_URL: https://dev.azure.com/{organisation} expected"
        " (plain http for loopback only)"
    )
    return ""
