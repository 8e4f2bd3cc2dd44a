"""The tables of a component and their columns, by the names and types that its queries see.

Source: https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete and, for the names
and types of a component's scope,
https://learn.microsoft.com/previous-versions/azure/azure-monitor/app/convert-classic-resource
"""

from collections.abc import Mapping
from typing import Final

Columns = Mapping[str, str]
"""Name to type: `datetime`, `string`, `dynamic`, `int`, `real`."""

_CONTEXT: Final = {
    "itemType": "string",
    "customDimensions": "dynamic",
    "operation_Name": "string",
    "operation_Id": "string",
    "operation_ParentId": "string",
    "operation_SyntheticSource": "string",
    "session_Id": "string",
    "user_Id": "string",
    "user_AuthenticatedId": "string",
    "user_AccountId": "string",
    "application_Version": "string",
    "client_Type": "string",
    "client_Model": "string",
    "client_OS": "string",
    "client_IP": "string",
    "client_City": "string",
    "client_StateOrProvince": "string",
    "client_CountryOrRegion": "string",
    "client_Browser": "string",
    "cloud_RoleName": "string",
    "cloud_RoleInstance": "string",
    "appId": "string",
    "appName": "string",
    "iKey": "string",
    "sdkVersion": "string",
    "itemId": "string",
    "itemCount": "int",
    "_ResourceId": "string",
}
_MEASURED: Final = {"customMeasurements": "dynamic"}
_CALL: Final = {
    "id": "string",
    "name": "string",
    "success": "string",
    "resultCode": "string",
    "duration": "real",
    "performanceBucket": "string",
}


def _describe(own: Columns) -> Columns:
    return {"timestamp": "datetime", **own, **_CONTEXT}


TABLES: Final[Mapping[str, Columns]] = {
    "customEvents": _describe({"name": "string", **_MEASURED}),
    "customMetrics": _describe(
        {
            "name": "string",
            "value": "real",
            "valueCount": "int",
            "valueSum": "real",
            "valueMin": "real",
            "valueMax": "real",
            "valueStdDev": "real",
        }
    ),
    "traces": _describe({"message": "string", "severityLevel": "int", **_MEASURED}),
    "exceptions": _describe(
        {
            "problemId": "string",
            "handledAt": "string",
            "type": "string",
            "message": "string",
            "assembly": "string",
            "method": "string",
            "outerType": "string",
            "outerMessage": "string",
            "outerAssembly": "string",
            "outerMethod": "string",
            "innermostType": "string",
            "innermostMessage": "string",
            "innermostAssembly": "string",
            "innermostMethod": "string",
            "severityLevel": "int",
            "details": "dynamic",
            **_MEASURED,
        }
    ),
    "requests": _describe({**_CALL, "url": "string", "source": "string", **_MEASURED}),
    "dependencies": _describe(
        {**_CALL, "target": "string", "type": "string", "data": "string", **_MEASURED}
    ),
    "availabilityResults": _describe(
        {
            "id": "string",
            "name": "string",
            "location": "string",
            "success": "string",
            "message": "string",
            "size": "real",
            "duration": "real",
            "performanceBucket": "string",
            **_MEASURED,
        }
    ),
}
"""Name of a table to its columns. `success` is the text `True` or `False`, as in the service."""
