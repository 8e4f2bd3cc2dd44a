"""Delivers events to subscribers, with the retries, the probation and the disabling of the service.

Source: https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot
"""

import asyncio
import base64
import http.client
import json
import time
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp

from local.azure_devops.events import build_delivery, build_sample, is_for
from local.azure_devops.organisation import Organisation, read_time
from local.azure_devops.records import Document

TRANSIENT: Final = frozenset({408, 502, 503, 504})
RETRY_AFTER_S: Final = (1, 2, 4, 8, 16, 32, 60, 60)
PROBE_AFTER_S: Final = (1200, 2400, 4800, 9600, 19200, 38400, 54000)
TIMEOUT_S: Final = 100.0


class Deliverer:
    """Hands events to the service hooks of an organisation."""

    def __init__(self, organisation: Organisation, time_scale: float = 1.0) -> None:
        self._organisation = organisation
        self._time_scale = time_scale
        """Part of the documented waiting times that is really waited."""
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def deliver_news(self) -> None:
        """Start the delivery of everything that happened since the last time."""
        events, self._organisation.events = self._organisation.events, []
        for event in events:
            if event["kind"] == "test":
                self._keep(self._test(event))
                continue
            for subscription in self._organisation.records.all("subscription"):
                if is_for(self._organisation, subscription, event):
                    self._start(subscription, event)

    async def close(self) -> None:
        """Give up what is still being delivered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _start(self, subscription: Document, event: Document) -> None:
        if subscription["status"] != "enabled":
            return  # on probation or disabled: new events are dropped
        self._keep(self._deliver(subscription["id"], event))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _test(self, event: Document) -> None:
        """Send a sample once; what becomes of it changes nothing about the subscription."""
        subscription = self._find(event["subscriptionId"])
        if subscription is None:
            return
        body = build_sample(subscription, event)
        notification = self._begin(subscription, body, event["number"])
        status = await self._attempt(subscription, body, notification)
        self._end(notification, succeeded=200 <= status < 300)

    async def _deliver(self, subscription_id: str, event: Document) -> None:
        subscription = self._find(subscription_id)
        if subscription is None:
            return
        number = self._organisation.records.next_number(f"notification/{subscription_id}")
        body = build_delivery(self._organisation, subscription, event, number)
        notification = self._begin(subscription, body, number)
        status = await self._attempt(subscription, body, notification)
        for wait_s in RETRY_AFTER_S:
            if status not in TRANSIENT:
                break
            await asyncio.sleep(wait_s * self._time_scale)
            status = await self._attempt(subscription, body, notification)
        succeeded = 200 <= status < 300
        self._end(notification, succeeded=succeeded)
        if succeeded:
            self._set_status(subscription_id, "enabled", 0)
        elif status == 410:
            self._set_status(subscription_id, "disabledBySystem", 0)
        else:
            await self._probe(subscription_id, body, notification)

    async def _probe(
        self, subscription_id: str, body: dict[str, Any], notification: Document
    ) -> None:
        """Keep the subscription on probation until a probe succeeds, or disable it after seven."""
        for tries, wait_s in enumerate(PROBE_AFTER_S, start=1):
            self._set_status(subscription_id, "onProbation", tries - 1)
            await asyncio.sleep(wait_s * self._time_scale)
            subscription = self._find(subscription_id)
            if subscription is None or subscription["status"] != "onProbation":
                return
            status = await self._attempt(subscription, body, notification)
            if 200 <= status < 300:
                self._set_status(subscription_id, "enabled", 0)
                return
        self._set_status(subscription_id, "disabledBySystem", len(PROBE_AFTER_S))

    async def _attempt(
        self, subscription: Document, body: dict[str, Any], notification: Document
    ) -> int:
        """Send once; answers the status, 504 where there was no answer."""
        inputs = subscription["consumerInputs"]
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "VSServices"}
        for line in str(inputs.get("httpHeaders") or "").splitlines():
            name, _, value = line.partition(":")
            headers[name] = value
        password = inputs.get("basicAuthPassword")
        if password:
            pair = f"{inputs.get('basicAuthUsername') or ''}:{password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        if self._session is None:
            self._session = aiohttp.ClientSession()
        details = notification["details"]
        began = time.perf_counter()
        try:
            async with self._session.post(
                inputs["url"],
                data=json.dumps(body).encode(),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                status = response.status
                told = (await response.text(errors="replace"))[:2000]
        except (aiohttp.ClientError, TimeoutError) as error:
            status, told = 504, type(error).__name__
        details["requestAttempts"] += 1
        details["requestDuration"] = time.perf_counter() - began
        details["response"] = f"Status Code: {status}\n{told}"
        details["statusCode"] = status
        if not 200 <= status < 300:
            details["errorMessage"] = f"{http.client.responses.get(status, 'Unknown')} ({status})"
        self._save(notification)
        return status

    def _begin(self, subscription: Document, body: dict[str, Any], number: int) -> Document:
        notification: Document = {
            "id": number,
            "subscriptionId": subscription["id"],
            "eventId": body["id"],
            "status": "requestInProgress",
            "result": "pending",
            "createdDate": read_time(),
            "modifiedDate": read_time(),
            "details": {
                "eventType": body["eventType"],
                "publisherId": "tfs",
                "consumerId": "webHooks",
                "consumerActionId": "httpRequest",
                "requestAttempts": 0,
                "requestDuration": 0.0,
            },
        }
        self._save(notification)
        return notification

    def _end(self, notification: Document, *, succeeded: bool) -> None:
        notification |= {
            "status": "completed",
            "result": "succeeded" if succeeded else "failed",
            "modifiedDate": read_time(),
        }
        self._save(notification)

    def _find(self, subscription_id: str) -> Document | None:
        return self._organisation.records.get("subscription", subscription_id)

    def _save(self, notification: Document) -> None:
        key = f"{notification['subscriptionId']}/{notification['id']}"
        self._organisation.records.put("notification", key, notification)

    def _set_status(self, subscription_id: str, status: str, tries: int) -> None:
        subscription = self._find(subscription_id)
        if subscription is not None and (
            (subscription["status"], subscription["probationRetries"]) != (status, tries)
        ):
            subscription |= {"status": status, "probationRetries": tries}
            if status == "onProbation":
                subscription["lastProbationRetryDate"] = read_time()
            self._organisation.records.put("subscription", subscription_id, subscription)
