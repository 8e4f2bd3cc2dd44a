"""Where each resource is: what Microsoft's own client libraries ask before anything else.

The ids are those in the clients (`location_id`). Source: the packages `azure-devops` (PyPI) and
`azure-devops-node-api` (npm).
"""

from typing import Any, Final

_GIT: Final = "{project}/_apis/{area}/repositories/{repositoryId}"
_PULL: Final = _GIT + "/pullRequests/{pullRequestId}"

_LOCATIONS: Final = (
    ("225f7195-f9c7-4d14-ab28-a83f7ff77e1f", "git", "repositories", _GIT),
    ("2d874a60-a811-4f62-9c9f-963a6ea0a55b", "git", "refs", _GIT + "/{resource}"),
    ("ea98d07b-3c87-4971-8ede-a613694ffb55", "git", "pushes", _GIT + "/{resource}/{pushId}"),
    ("fb93c0db-47ed-4a31-8c20-47552878fb44", "git", "items", _GIT + "/{resource}/{*path}"),
    ("c2570c3b-5b3f-41b8-98bf-5407bfde8d58", "git", "commits", _GIT + "/{resource}/{commitId}"),
    (
        "5bf884f5-3e07-42e9-afb8-1b872267bf16",
        "git",
        "changes",
        _GIT + "/commits/{commitId}/{resource}",
    ),
    ("615588d5-c0c7-4b88-88f8-e625306446e8", "git", "commitDiffs", _GIT + "/diffs/commits"),
    ("c4c5a7e6-e9f3-4730-a92b-84baacff694b", "git", "fileDiffs", _GIT + "/{resource}"),
    (
        "9946fd70-0d40-406e-b686-b4744cbbcc37",
        "git",
        "pullRequests",
        _GIT + "/{resource}/{pullRequestId}",
    ),
    (
        "01a46dea-7d46-4d40-bc84-319e7c260d99",
        "git",
        "pullRequests",
        "{project}/_apis/{area}/{resource}/{pullRequestId}",
    ),
    (
        "ab6e2e5d-a0b7-4153-b64a-a4efe0d49449",
        "git",
        "pullRequestThreads",
        _PULL + "/threads/{threadId}",
    ),
    (
        "965a3ec7-5ed8-455a-bdcb-835a5ea7fe7b",
        "git",
        "pullRequestThreadComments",
        _PULL + "/threads/{threadId}/comments/{commentId}",
    ),
    (
        "b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35",
        "git",
        "pullRequestStatuses",
        _PULL + "/statuses/{statusId}",
    ),
    (
        "d43911ee-6958-46b0-a42b-8445b8a0d004",
        "git",
        "pullRequestIterations",
        _PULL + "/iterations/{iterationId}",
    ),
    (
        "4216bdcf-b6b1-4d59-8b82-c34cc183fc8b",
        "git",
        "pullRequestIterationChanges",
        _PULL + "/iterations/{iterationId}/changes",
    ),
    ("48a52185-5b9e-4736-9dc1-bb1e2feac80b", "git", "properties", _PULL + "/{resource}"),
    (
        "f22387e3-984e-4c52-9c6d-fbb8f14c812d",
        "git",
        "pullRequestLabels",
        _PULL + "/labels/{labelIdOrName}",
    ),
    ("603fe2ac-9723-48b9-88ad-09305aa6c6e1", "core", "projects", "_apis/{resource}/{*projectId}"),
    (
        "048aee0a-7072-4cde-ab73-7af77b1e0b4e",
        "graph",
        "descriptors",
        "_apis/{area}/{resource}/{storageKey}",
    ),
    (
        "e34b6394-6b30-4435-94a9-409a5eef3e31",
        "graph",
        "memberships",
        "_apis/{area}/{resource}/{subjectDescriptor}",
    ),
    (
        "ebbe6af8-0b91-4c13-8cf1-777c14858188",
        "graph",
        "groups",
        "_apis/{area}/{resource}/{groupDescriptor}",
    ),
    (
        "005e26ec-6b77-4e4f-a986-b3827bf241f5",
        "graph",
        "users",
        "_apis/{area}/{resource}/{userDescriptor}",
    ),
    (
        "4dd4d168-11f2-48c4-83e8-756fa0de027c",
        "graph",
        "subjectlookup",
        "_apis/{area}/{resource}",
    ),
    (
        "fc50d02a-849f-41fb-8af1-0a5216103269",
        "hooks",
        "subscriptions",
        "_apis/{area}/{resource}/{subscriptionId}",
    ),
    (
        "0c62d343-21b0-4732-997b-017fde84dc28",
        "hooks",
        "notifications",
        "_apis/{area}/subscriptions/{subscriptionId}/{resource}/{notificationId}",
    ),
    (
        "e81700f7-3be2-46de-8624-2eb35882fcaa",
        "Location",
        "ResourceAreas",
        "_apis/{resource}/{areaId}",
    ),
    (
        "00d9565f-ed9c-4a06-9a50-00e7896ccab4",
        "Location",
        "connectionData",
        "_apis/{resource}",
    ),
    (
        "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d",
        "Security",
        "permissions",
        "_apis/{resource}/{securityNamespaceId}/{permissions}",
    ),
    (
        "28010c54-d0c0-4c89-a5b0-1c9e188b9fb7",
        "IMS",
        "identities",
        "_apis/{resource}/{identityId}",
    ),
)


def list_locations() -> dict[str, Any]:
    """List every resource, as `OPTIONS _apis` answers."""
    value = [
        {
            "id": key,
            "area": area,
            "resourceName": resource,
            "routeTemplate": template,
            "resourceVersion": 1,
            "minVersion": "1.0",
            "maxVersion": "7.2",
            "releasedVersion": "7.1",
        }
        for key, area, resource, template in _LOCATIONS
    ]
    return {"count": len(value), "value": value}
