"""What the adapters of both SDKs have in common: one client, one try, and names for what failed."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shared.domain.clock import Clock, read_utc_clock
from shared.llm.chat.connection import open_http_client, quieten_loggers
from shared.llm.chat.deadline import Deadline
from shared.llm.chat.failures import fail_by_refusal, fail_in_the_middle, fail_without_answer
from shared.llm.chat.spec import ChatSpec
from shared.llm.chat.surrogates import mend_reply
from shared.llm.conversation import ChatReply, ChatRequest
from shared.llm.provider import ModelCode, ModelError, Usage, fail_at_provider

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT_S: Final = 5.0
UNUSED_KEY: Final = "the key is a header of each request"
"""What the SDKs' clients are given, so that none takes a key from the environment or keeps one."""
UNREADABLE: Final = (ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What reading an answer raises that is none of the service's: the SDKs do not validate."""


@dataclass
class Meter:
    """What a stream has told of its tokens so far."""

    usage: Usage | None = None


ReadKey = Callable[[], str]
"""Answers the key that is good now, or a token."""
RefreshKey = Callable[[], None]
"""Has the key read anew where it is kept."""


class SdkChat(ABC):
    """A model over an SDK. Threads may share it.

    The key is read before each request, and once more when it was not accepted: if it is another
    one by then, the request is sent again with it. Nothing else is tried twice.
    """

    def __init__(
        self,
        spec: ChatSpec,
        read_key: ReadKey,
        clock: Clock = read_utc_clock,
        refresh_key: RefreshKey = lambda: None,
    ) -> None:
        self._spec = spec
        self._read_key = read_key
        self._refresh_key = refresh_key
        self._clock = clock
        self._lock = threading.Lock()
        self._http: httpx2.Client | None = None
        self._client: Any = None

    @property
    def provider(self) -> str:
        """The provider as settings, records and telemetry call it."""
        return str(self._spec.provider)

    @property
    def model(self) -> str:
        """The model or deployment that is asked for."""
        return self._spec.model

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        with self._lock:
            if self._http is not None:
                self._http.close()
            self._http = self._client = None

    def reply(self, request: ChatRequest) -> ChatReply:
        """Send one request and wait for the whole reply.

        A refusal before any reply raises `model.declined`; one in the reply, which has its price,
        is `StopReason.REFUSED`.

        Raises:
            ModelError: with a code that says whether another provider may do better.
        """
        deadline = Deadline(request.deadline, self._clock)
        deadline.check()
        key = self._read_key().strip()  # a line break at the end is easily stored with it
        outcome = self._try(request, key, deadline)
        if isinstance(outcome, ModelError) and outcome.facts.get("status") == 401:
            self._refresh_key()
            newer = self._read_key().strip()
            if newer != key:
                outcome = self._try(request, newer, deadline)
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome

    @abstractmethod
    def _open_client(self, http: "httpx2.Client") -> Any:
        """Make the SDK's client, with everything explicit that it would look up elsewhere."""

    @abstractmethod
    def _send(
        self, client: Any, request: ChatRequest, headers: Mapping[str, Any], timeout: Any
    ) -> Any:
        """Send a request; answer the SDK's stream."""

    @abstractmethod
    def _build_headers(self, key: str) -> dict[str, Any]:
        """Build the headers that prove who we are."""

    @abstractmethod
    def _read(self, events: Iterable[Any], meter: Meter) -> ChatReply | None:
        """Make a reply of a stream's events; None when its end is missing."""

    @property
    @abstractmethod
    def _sdk(self) -> Any:
        """The SDK's module, imported now."""

    @property
    def _needs_key(self) -> bool:
        return True

    def _try(self, request: ChatRequest, key: str, deadline: Deadline) -> ChatReply | ModelError:
        """Send a request once. Failures are answered: raised here, they would carry the SDK's."""
        meter = Meter()
        outcome = self._try_metered(request, key, deadline, meter)
        if isinstance(outcome, ModelError):
            outcome.told = meter.usage
        return outcome

    def _try_metered(
        self, request: ChatRequest, key: str, deadline: Deadline, meter: Meter
    ) -> ChatReply | ModelError:
        if (self._needs_key and not key) or not (key.isascii() and key.isprintable()):
            return fail_at_provider(
                ModelCode.CREDENTIAL_REFUSED,
                f"There is no key for {self.provider}, or what is there cannot be one.",
                facts={"provider": self.provider},
            )
        import httpx2

        sdk = self._sdk
        try:
            return self._exchange(request, key, deadline, meter)
        except ModelError as error:
            return error
        except sdk.APIStatusError as error:
            failure = fail_by_refusal(
                self.provider, error.status_code, error.body, error.response.headers
            )
        except (sdk.APIConnectionError, httpx2.RequestError) as error:
            failure = self._name_connection(error)
        except sdk.APIError as error:  # OpenAI's: an event of the stream said so
            failure = fail_by_refusal(self.provider, 200, error.body, {})
        except UNREADABLE:
            failure = fail_in_the_middle(self.provider)
        return deadline.fail() if deadline.is_over else failure

    def _exchange(
        self, request: ChatRequest, key: str, deadline: Deadline, meter: Meter
    ) -> ChatReply:
        import httpx2

        left_s = deadline.left_s
        timeout = httpx2.Timeout(
            min(self._spec.silence_s, left_s), connect=min(CONNECT_TIMEOUT_S, left_s)
        )
        client = self._get_client()
        with (
            self._send(client, request, self._build_headers(key), timeout) as stream,
            deadline.hang_up_in_time(stream.response),
        ):
            reply = self._read(_watch(stream, deadline), meter)
        if reply is None:
            deadline.check()
            raise fail_in_the_middle(self.provider)
        return mend_reply(reply)

    def _get_client(self) -> Any:
        with self._lock:
            if self._client is None:
                quieten_loggers()
                self._http = open_http_client(self._spec.proxy_url)
                self._client = self._open_client(self._http)
            return self._client

    def _name_connection(self, error: Exception) -> ModelError:
        import httpx2

        cause = error if isinstance(error, httpx2.RequestError) else error.__cause__
        is_late = isinstance(cause, httpx2.TimeoutException)
        is_late = is_late and not isinstance(cause, httpx2.ConnectTimeout)
        return fail_without_answer(self.provider, is_late=is_late)


def _watch(events: Iterable[Any], deadline: Deadline) -> Iterator[Any]:
    for event in events:
        deadline.check()
        yield event
