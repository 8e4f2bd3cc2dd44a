"""Asks Application Insights a Kusto query, as whoever is signed in (role "Monitoring Reader").

Source: https://learn.microsoft.com/rest/api/application-insights/query/execute
"""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import requests

API: Final = "https://api.applicationinsights.io"
_SCOPE: Final = "https://api.applicationinsights.io/.default"
_TIMEOUT_S: Final = (5.0, 60.0)


class InsightsError(Exception):
    """The question could not be asked, or not by this identity."""


class Insights:
    """One component, by its application id."""

    def __init__(self, app_id: str, api: str = API) -> None:
        from azure.identity import DefaultAzureCredential

        self._url = f"{api.rstrip('/')}/v1/apps/{quote(app_id, safe='')}/query"
        self._credential = DefaultAzureCredential()

    def query(self, text: str, since: datetime) -> list[dict[str, Any]]:
        """Answer the rows of a query on the telemetry since an instant.

        Raises:
            InsightsError: no answer, no right, or a query that the service does not take.
        """
        body = {"query": text, "timespan": f"{_write(since)}/{_write(datetime.now(UTC))}"}
        headers = {"Authorization": f"Bearer {self._read_token()}"}
        try:
            answer = requests.post(
                self._url, json=body, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise InsightsError(
                f"Application Insights did not answer ({type(error).__name__})."
            ) from None
        if answer.status_code in (401, 403):
            raise InsightsError('Application Insights refused: "Monitoring Reader" is needed.')
        try:
            plain = answer.json()
            if answer.status_code != 200:
                code = plain["error"]["code"]
                raise InsightsError(f"Application Insights answered {answer.status_code}: {code}.")
            [table] = plain["tables"]
            names = [column["name"] for column in table["columns"]]
            return [dict(zip(names, row, strict=True)) for row in table["rows"]]
        except (ValueError, KeyError, TypeError):
            raise InsightsError(
                f"Application Insights answered {answer.status_code}, and no table."
            ) from None

    def _read_token(self) -> str:
        from azure.core.exceptions import ClientAuthenticationError

        try:
            return str(self._credential.get_token(_SCOPE).token)
        except ClientAuthenticationError:
            raise InsightsError("Nobody is signed in to Azure (`az login`).") from None


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
