"""Who is who: identities, connectionData, the Graph, and permission checks of the caller.

The real Graph is served at vssps.dev.azure.com; here the organisation serves it too.
Source: https://learn.microsoft.com/rest/api/azure/devops/graph
"""

from typing import Any, Final

from local.azure_devops.errors import ServiceError
from local.azure_devops.organisation import Organisation
from local.azure_devops.records import Document
from local.azure_devops.routing import Call, route, write_list

GIT_NAMESPACE: Final = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


def write_identity(organisation: Organisation, user_id: str) -> dict[str, Any]:
    """Write an IdentityRef."""
    user = organisation.records.get("user", user_id) or {
        "id": user_id,
        "displayName": "Unknown",
        "uniqueName": "",
        "descriptor": "",
    }
    return {
        "displayName": user["displayName"],
        "url": f"{organisation.url}/_apis/Identities/{user['id']}",
        "_links": {
            "avatar": {"href": f"{organisation.url}/_apis/GraphProfile/{user['descriptor']}"}
        },
        "id": user["id"],
        "uniqueName": user["uniqueName"],
        "imageUrl": f"{organisation.url}/_api/_common/identityImage?id={user['id']}",
        "descriptor": user["descriptor"],
    }


@route("GET", "_apis/connectionData", "get connection data")
def show_connection(call: Call) -> Any:
    """Say whom the credential stands for."""
    user = call.user
    connected = {
        "id": user["id"],
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{user['uniqueName']}",
        "subjectDescriptor": user["descriptor"],
        "providerDisplayName": user["displayName"],
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": user["uniqueName"]}},
    }
    return {
        "authenticatedUser": connected,
        "authorizedUser": connected,
        "instanceId": call.organisation.id,
        "deploymentId": call.organisation.id,
        "deploymentType": "hosted",
        "locationServiceData": {"serviceOwner": call.organisation.id},
    }


@route("GET", "_apis/identities", "list identities")
def list_identities(call: Call) -> Any:
    """Find people by id, descriptor or name."""
    wanted = {
        part.lower()
        for name in ("identityIds", "descriptors", "subjectDescriptors", "filterValue")
        for part in call.query.get(name, "").split(",")
        if part
    }
    return write_list(
        [
            {
                "id": user["id"],
                "providerDisplayName": user["displayName"],
                "subjectDescriptor": user["descriptor"],
                "isActive": True,
            }
            for user in call.organisation.records.all("user")
            if wanted & {user["id"], user["descriptor"].lower(), user["uniqueName"].lower()}
        ]
    )


@route("GET", "_apis/graph/descriptors/{storage_key}", "get descriptor")
def show_descriptor(call: Call) -> Any:
    """Turn a storage key (identity id) into a descriptor."""
    user = call.organisation.records.get("user", call.parts["storage_key"].lower())
    if user is None:
        raise _miss_subject(call.parts["storage_key"])
    return {"value": user["descriptor"]}


@route("GET", "_apis/graph/memberships/{subject}", "list memberships")
def list_memberships(call: Call) -> Any:
    """List the groups of a subject (up) or the members of a group (down)."""
    subject = call.parts["subject"]
    records = call.organisation.records
    if call.query.get("direction", "up").lower() == "down":
        group = _find(records.all("group"), subject)
        pairs = [(subject, member) for member in group["members"]]
    else:
        _find([*records.all("user"), *records.all("group")], subject)
        pairs = [
            (group["descriptor"], subject) for group in call.organisation.list_groups_of(subject)
        ]
    return write_list(
        [
            {"containerDescriptor": container, "memberDescriptor": member}
            for container, member in pairs
        ]
    )


@route("GET", "_apis/graph/groups/{subject}", "get group")
def show_group(call: Call) -> Any:
    """Show a group."""
    return _write_group(_find(call.organisation.records.all("group"), call.parts["subject"]))


@route("GET", "_apis/graph/groups", "list groups")
def list_groups(call: Call) -> Any:
    """List the groups."""
    return write_list([_write_group(one) for one in call.organisation.records.all("group")])


@route("GET", "_apis/graph/users/{subject}", "get user")
def show_user(call: Call) -> Any:
    """Show somebody."""
    return _write_user(_find(call.organisation.records.all("user"), call.parts["subject"]))


@route("GET", "_apis/graph/users", "list users")
def list_users(call: Call) -> Any:
    """List everybody."""
    return write_list([_write_user(one) for one in call.organisation.records.all("user")])


@route("POST", "_apis/graph/subjectlookup", "look up subjects")
def look_up_subjects(call: Call) -> Any:
    """Answer what is known of several descriptors at once."""
    records = call.organisation.records
    known = {one["descriptor"]: _write_user(one) for one in records.all("user")}
    known |= {one["descriptor"]: _write_group(one) for one in records.all("group")}
    keys = [key.get("descriptor", "") for key in call.read_object().get("lookupKeys", [])]
    return write_list([], value={key: known[key] for key in keys if key in known})


@route("GET", "_apis/permissions/{namespace}/{bits}", "check permissions")
def check_permissions(call: Call) -> Any:
    """Answer whether the caller (never anybody else) has permissions on tokens."""
    if call.parts["namespace"].lower() != GIT_NAMESPACE:
        raise ServiceError(404, "InvalidSecurityNamespaceException", "No such namespace.")
    bits = call.number("bits")
    answers = []
    for token in call.query.get("tokens", "").split(","):
        repository = call.organisation.records.get("repository", token.rpartition("/")[2])
        answers.append(
            repository is not None
            and all(
                call.organisation.may(call.user, repository, 1 << shift)
                for shift in range(bits.bit_length())
                if bits >> shift & 1
            )
        )
    return write_list(answers)


def _find(known: list[Document], descriptor: str) -> Document:
    for one in known:
        if one["descriptor"] == descriptor:
            return one
    raise _miss_subject(descriptor)


def _miss_subject(name: str) -> ServiceError:
    return ServiceError(
        404, "GraphSubjectNotFoundException", f"VS403325: The subject {name} could not be found."
    )


def _write_user(user: Document) -> dict[str, Any]:
    return {
        "subjectKind": "user",
        "principalName": user["uniqueName"],
        "mailAddress": user["uniqueName"],
        "displayName": user["displayName"],
        "descriptor": user["descriptor"],
        "origin": "aad",
        "originId": user["id"],
    }


def _write_group(group: Document) -> dict[str, Any]:
    return {
        "subjectKind": "group",
        "principalName": group["principalName"],
        "displayName": group["displayName"],
        "descriptor": group["descriptor"],
        "origin": "vsts",
        "originId": group["id"],
    }
