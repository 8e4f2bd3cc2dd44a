"""The addresses of the Durable API, as the durable client binding hands them to a function.

It builds text only. The links carry the host's key: nobody outside should get them.
"""

import json
from dataclasses import dataclass
from urllib.parse import quote

WEBHOOK_PATH = "/runtime/webhooks/durabletask"
RPC_PATH = "/durabletask/"


@dataclass(frozen=True, slots=True)
class ClientLinks:
    """Links of one host."""

    base_url: str
    """Scheme and authority, without a trailing slash."""
    hub_name: str
    key: str

    def build_binding(self) -> str:
        """Build the JSON that the SDK turns into a `DurableOrchestrationClient`."""
        webhook = f"{self.base_url}{WEBHOOK_PATH}"
        create = f"{webhook}/orchestrators/{{functionName}}[/{{instanceId}}]"
        return json.dumps(
            {
                "taskHubName": self.hub_name,
                "connectionName": None,
                "creationUrls": {
                    "createNewInstancePostUri": f"{create}?code={self.key}",
                    "createAndWaitOnNewInstancePostUri": f"{create}?timeout={{timeoutInSeconds}}"
                    f"&pollingInterval={{intervalInSeconds}}&code={self.key}",
                },
                "managementUrls": self._build_links("INSTANCEID", self.base_url),
                "baseUrl": webhook,
                "requiredQueryStringParameters": f"code={self.key}",
                "rpcBaseUrl": f"{self.base_url}{RPC_PATH}",
                "httpBaseUrl": None,
                "maxGrpcMessageSizeInBytes": 0,
                "grpcHttpClientTimeout": "00:00:30",
                "useForwardedHost": False,
            }
        )

    def build_management_links(self, instance_id: str, origin: str) -> dict[str, str]:
        """Build the payload of a check-status response."""
        return {**self._build_links(quote(instance_id, safe=""), origin), "id": instance_id}

    def _build_links(self, instance_id: str, origin: str) -> dict[str, str]:
        instance = f"{origin}{WEBHOOK_PATH}/instances/{instance_id}"
        query = f"taskHub={self.hub_name}&connection=Storage&code={self.key}"
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{instance}?{query}",
            "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{instance}?{query}",
            "restartPostUri": f"{instance}/restart?{query}",
            "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
        }
