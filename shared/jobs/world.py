"""What the bodies of this package work with: settings, clock, adapters, each built on first use."""

import logging
import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING

from shared.domain.clock import Clock
from shared.jobs.identity import open_identity
from shared.secrets.source import ADO_PAT, CANARY_PAT, DATABASE_URL, OPTIONAL, WEBHOOK_SECRET
from shared.settings import Settings
from shared.settings.vault import DATABASE_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.ado.session import AdoSession, ThrottleListener
    from shared.ado.snapshots import SnapshotStore
    from shared.comments.render import CommentWriter
    from shared.domain.comment_ref import CommentRef
    from shared.domain.switches import Switches
    from shared.jobs.switch_board import SwitchBoard
    from shared.llm.accounts import Account
    from shared.llm.clarifier import Clarifier
    from shared.llm.conversation import ChatModel
    from shared.llm.prices import ModelPrice
    from shared.llm.provider import ModelProvider
    from shared.policy.keys import DerivedKeys
    from shared.policy.permission import PermissionRules
    from shared.secrets.source import Secrets
    from shared.settings import ModelSource
    from shared.store.database import Database
    from shared.store.login import Login


class World:
    """What the bodies of `shared.jobs` work with."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._lock = threading.RLock()

    @cached_property
    def database(self) -> "Database":
        """The records, with their tables in place."""
        with self._lock:
            if self.settings.database_url.startswith("sqlite"):
                self.settings.data_directory.mkdir(parents=True, exist_ok=True)
            database = self.open_database()
            database.upgrade()
            return database

    def open_database(self) -> "Database":
        """Open the records as they are; whoever opens them closes them."""
        # before it is imported: it tells of each of its plug-ins and of each migration
        logging.getLogger("alembic").setLevel(logging.WARNING)
        from shared.store.database import Database

        return Database(self._open_login(), self.settings.database)

    def read_switches(self) -> "Switches":
        """Answer what operators have turned, as of a few seconds ago.

        Raises:
            StoreError: the records do not answer.
        """
        return self._switch_board.read()

    def may_write(self) -> bool:
        """Answer whether operators let Azure DevOps be written to.

        Raises:
            StoreError: the records do not answer.
        """
        from shared.domain.switches import Mode

        return self.read_switches().mode is not Mode.READ_ONLY

    @cached_property
    def _switch_board(self) -> "SwitchBoard":
        from shared.jobs.switch_board import SwitchBoard

        return SwitchBoard(lambda: self.database, self.settings.switch_ttl_s)

    def _open_login(self) -> "Login":
        from shared.store.login import EntraPassword, Login

        identity = EntraPassword(open_identity) if self.settings.database.uses_identity else None
        if self.settings.database_url != DATABASE_MARK:
            return Login(self.settings.database_url, read_password=identity)

        def reread() -> str:
            self.secrets.refresh(DATABASE_URL)
            return self.secrets.read(DATABASE_URL)

        return Login(self.secrets.read(DATABASE_URL), reread=reread, read_password=identity)

    @cached_property
    def secrets(self) -> "Secrets":
        """The credentials of this process."""
        from shared.secrets.choose import open_secrets

        return open_secrets(self.settings.vault, os.environ, on_stale=_tell_stale)

    @property
    def keys(self) -> "DerivedKeys":
        """Keys that are derived from a secret; read anew each time, as the secret may be rotated.

        Raises:
            SecretMissingError: there is no secret to derive them from.
        """
        from shared.policy.keys import derive_keys

        own = self.secrets.read_accepted("link-signing-key")
        accepted = own or self.secrets.read_accepted("webhook-secret")
        return derive_keys(accepted or (self.secrets.read("webhook-secret"),))

    @cached_property
    def ado(self) -> "AdoSession":
        """Azure DevOps, as the agent's own identity."""
        return self.open_ado(_tell_throttled)

    def open_ado(self, on_throttled: "ThrottleListener") -> "AdoSession":
        """Open a session as the agent; whoever opens it closes it."""
        from shared.ado.credentials import AdoCredential, EntraCredential, PatCredential
        from shared.ado.session import AdoSession
        from shared.jobs.observed import observe_ado_call

        credential: AdoCredential
        if self.settings.ado_authentication == "pat":
            credential = PatCredential(
                lambda: self.secrets.read(ADO_PAT), lambda: self.secrets.refresh(ADO_PAT)
            )
        else:
            credential = EntraCredential()
        return AdoSession(
            self.settings.organisation_url,
            credential,
            on_throttled=on_throttled,
            observe=observe_ado_call,
            may_write=self.may_write,
        )

    @cached_property
    def canary(self) -> "AdoSession":
        """Azure DevOps, as whoever the canary is."""
        from shared.ado.credentials import PatCredential
        from shared.ado.session import AdoSession

        credential = PatCredential(
            lambda: self.secrets.read(CANARY_PAT), lambda: self.secrets.refresh(CANARY_PAT)
        )
        return AdoSession(self.settings.organisation_url, credential, may_write=self.may_write)

    def is_by_hand(self, ref: "CommentRef") -> bool:
        """Answer whether a job asks no model: the stub alone, or the canary's."""
        canary = self.settings.canary
        if canary and canary.is_at(ref.project_id, ref.repository_id, ref.pull_request_id):
            return True
        return not self.settings.models.sources

    @cached_property
    def snapshots(self) -> "SnapshotStore":
        """Repositories at a commit, on local disk."""
        from shared.ado.snapshots import SnapshotStore

        return SnapshotStore(
            self.settings.data_directory / "snapshots", self.settings.snapshot_max_bytes
        )

    @cached_property
    def models(self) -> "tuple[ChatModel, ...]":
        """The models that are asked, in order; none where the stub drafts."""
        from shared.jobs.models import build_models
        from shared.jobs.observed import ObservedChat

        models = build_models(self.settings.models, self.secrets)
        return tuple(ObservedChat(model) for model in models)

    def choose_sources(self) -> "list[ModelSource]":
        """Answer which models of the settings are asked just now, in order.

        Raises:
            StoreError: the records do not answer.
        """
        sources = self.settings.models.sources
        return self.read_switches().order(sources, lambda source: source.provider)

    def _choose_models(self) -> "list[ChatModel]":
        return self.read_switches().order(self.models, lambda model: model.provider)

    @cached_property
    def prices(self) -> "Mapping[str, ModelPrice]":
        """What the operators say that models cost, beside the list.

        Raises:
            ValueError: naming the price that cannot be read.
        """
        from shared.llm.prices import read_overrides

        return read_overrides(self.settings.models.prices)

    def open_provider(self, account: "Account", ref: "CommentRef | None" = None) -> "ModelProvider":
        """Answer who drafts the job of a comment, at the expense of an account."""
        if not self.settings.models.sources or (ref and self.is_by_hand(ref)):
            from shared.llm.stub import StubProvider

            return StubProvider()
        from shared.jobs.models import read_terms
        from shared.llm.drafting import ModelDrafter

        return ModelDrafter(self._choose_models(), account, read_terms(self.settings.models))

    def open_clarifiers(self, account: "Account", ref: "CommentRef") -> "tuple[Clarifier, ...]":
        """Answer who judges whether a request is clear, in the order in which they are asked."""
        from shared.llm.clarifier import RuleClarifier

        rules = RuleClarifier(self.comments)
        if self.is_by_hand(ref) or not self.settings.models.asks_model_for_clarity:
            return (rules,)
        from shared.llm.model_clarifier import ModelClarifier

        return (rules, ModelClarifier(self._choose_models(), account))

    @cached_property
    def comments(self) -> "CommentWriter":
        """The words of comments, in the language of the settings."""
        from shared.comments.render import CommentWriter

        return CommentWriter(self.settings.language)

    @cached_property
    def permissions(self) -> "PermissionRules":
        """Who may do what, where."""
        from shared.policy.permission import PermissionRules

        return PermissionRules(
            allowed_users=self.settings.allowed_users,
            allowed_groups=self.settings.allowed_groups,
            open_repositories=self.settings.open_repositories,
            allowed_repositories=self.settings.allowed_repositories,
        )

    def check_secrets(self) -> str:
        """Answer `ok` when every credential that the settings call for can be read.

        `stale` when it is, but from memory: the vault does not answer.

        Raises:
            SecretMissingError: naming the first that cannot.
        """
        names = self.list_secrets()
        for name in names:
            self.secrets.read(name)
        return "stale" if any(self.secrets.is_stale(name) for name in names) else "ok"

    def list_secrets(self) -> tuple[str, ...]:
        """List the names of the secrets that the settings call for, but for models' keys."""
        names = [WEBHOOK_SECRET]
        if self.settings.ado_authentication == "pat":
            names.append(ADO_PAT)
        if self.settings.database_url == DATABASE_MARK:
            names.append(DATABASE_URL)
        if self.settings.canary is not None:
            names.append(CANARY_PAT)
        return tuple(names)

    def list_model_keys(self) -> tuple[str, ...]:
        """List the names of the keys that the models of the settings need."""
        sources = self.settings.models.sources
        return tuple(one.secret for one in sources if one.secret and not one.uses_identity)

    def list_expiring(self) -> tuple[str, ...]:
        """List the names of the secrets whose dates are looked at, those that may be absent too."""
        return (*self.list_secrets(), *self.list_model_keys(), *OPTIONAL)

    def check_models(self) -> None:
        """Return when every model can be built and its key be read; none is asked.

        Raises:
            SecretMissingError: a key is not there.
            ValueError: an address or a model cannot be meant so.
        """
        _ = self.models, self.prices
        for name in self.list_model_keys():
            self.secrets.read(name)

    def check_ado(self) -> None:
        """Return when Azure DevOps accepts the agent's credential now.

        Raises:
            AdoError: it does not, or does not answer.
        """
        from shared.ado.identities import check_connection

        check_connection(self.ado)


def _tell_throttled(operation: str, status_code: int, retry_after_s: float) -> None:
    from shared.telemetry.emit import emit
    from shared.telemetry.events import AdoRateLimited
    from shared.telemetry.metrics import ADO_DELAY

    emit(AdoRateLimited(operation=operation, status_code=status_code, retry_after_s=retry_after_s))
    ADO_DELAY.record(retry_after_s, operation=operation)


def _tell_stale(secret: str, reason: str, age_s: float) -> None:
    from shared.telemetry.emit import emit
    from shared.telemetry.events import SecretStale

    emit(SecretStale(secret=secret, reason=reason, age_s=age_s))
