"""Call the app's functions as the Python worker does: async on the loop, sync in a thread pool.

It builds the arguments that every function may declare (context, durable clients) and knows no
trigger.
Source: https://github.com/Azure/azure-functions-python-worker (dispatcher)
"""

import asyncio
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import azure.functions as func

from local.functions_host.app_loader import Function


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace that a call is part of; empty for what the host starts by itself."""

    trace_state: str = ""
    trace_parent: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryContext:
    """A first attempt: host-level retry policies do not apply here."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: None = None


class InvocationContext(func.Context):  # type: ignore[misc]  # the SDK is untyped to mypy
    """The `context` argument of a function."""

    def __init__(self, function: Function, invocation_id: str, traceparent: str = "") -> None:
        self._function = function
        self._trace = TraceContext(trace_parent=traceparent)
        self._invocation_id = invocation_id
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """Return the id of this call."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """Return the storage in which the worker keeps the invocation id per thread."""
        return self._local

    @property
    def function_name(self) -> str:
        """Return the function's name."""
        return self._function.name

    @property
    def function_directory(self) -> str:
        """Return the app's folder."""
        return self._function.directory

    @property
    def trace_context(self) -> TraceContext:
        """Return the trace."""
        return self._trace

    @property
    def retry_context(self) -> RetryContext:
        """Return the attempt."""
        return RetryContext()


class Invoker:
    """Calls functions; `client_binding` is the JSON that becomes a durable client."""

    def __init__(self, client_binding: str = "") -> None:
        self.client_binding = client_binding
        self._pool = ThreadPoolExecutor(_read_thread_count(), thread_name_prefix="function")
        self._busy = 0
        self._lock = threading.Lock()

    async def call(self, function: Function, *, traceparent: str = "", **arguments: Any) -> Any:
        """Call a function with its trigger's argument and whatever else it declares."""
        for parameter in function.client_parameters:
            arguments[parameter] = self.client_binding
        if function.has_context:
            arguments["context"] = InvocationContext(function, str(uuid.uuid4()), traceparent)
        if function.is_async:
            return await function.handle(**arguments)
        return await self._call_in_thread(partial(function.handle, **arguments))

    def stop(self) -> int:
        """Take no more calls; return how many threads are still inside a function."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        return self._busy

    async def _call_in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, copy_context().run, self._count, call
        )

    def _count(self, call: Callable[[], Any]) -> Any:
        """Call in a thread; a caller that is cancelled does not end the thread."""
        with self._lock:
            self._busy += 1
        try:
            return call()
        finally:
            with self._lock:
                self._busy -= 1


def _read_thread_count() -> int:
    configured = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if configured.isdecimal() and int(configured) > 0:
        return int(configured)
    return min(32, (os.cpu_count() or 1) + 4)  # the worker's default on Python 3.9 and later
