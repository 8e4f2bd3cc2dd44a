import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.comment_ref import CommentRef
from shared.webhook.event import CommentEvent, IgnoredEvent, TalkEvent, parse_event

PROJECT = "11111111-2222-3333-4444-555555555555"
REPOSITORY = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
REF = CommentRef("contoso", PROJECT, REPOSITORY, 7, 5, 2)
BASE = f"https://dev.azure.com/contoso/{PROJECT}/_apis/git/repositories/{REPOSITORY}"


def links(base: str = BASE) -> dict[str, Any]:
    return {
        "self": {"href": f"{base}/pullRequests/7/threads/5/comments/2"},
        "repository": {"href": base},
        "threads": {"href": f"{base}/pullRequests/7/threads/5"},
    }


def comment(content: str | None = "/edit make it red", **changes: Any) -> dict[str, Any]:
    body = {"id": 2, "parentCommentId": 1, "commentType": "text", "_links": links(), **changes}
    return body if content is None else body | {"content": content}


def pull_request() -> dict[str, Any]:
    repository = {"id": REPOSITORY.upper(), "name": "Café #1", "project": {"id": PROJECT}}
    return {"pullRequestId": 7, "repository": repository, "status": "active"}


def delivery(resource: Any, **changes: Any) -> bytes:
    return json.dumps(
        {
            "eventType": "ms.vss-code.git-pullrequest-comment-event",
            "resource": resource,
            "resourceContainers": {"project": {"id": PROJECT}},
            **changes,
        }
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(delivery({"comment": comment(), "pullRequest": pull_request()}), id="v2"),
        pytest.param(delivery(comment(), resourceVersion="1.0"), id="v1"),
        pytest.param(
            delivery(
                comment(
                    _links=links(BASE.replace("dev.azure.com/contoso", "contoso.visualstudio.com"))
                )
            ),
            id="visualstudio-host",
        ),
        pytest.param(
            delivery({"comment": comment(_links=links("http://joscol2/x/" + BASE[30:]))}),
            id="foreign-host-in-links",
        ),
        pytest.param(
            delivery(comment(_links=links(BASE.replace(PROJECT, "B%C3%BCro %231")))),
            id="project-by-name-in-links",
        ),
        pytest.param(
            delivery({"id": 2, "url": f"{BASE}/pullRequests/7/threads/5/comments/2"}),
            id="minimal-with-url",
        ),
        pytest.param(delivery(comment(), resourceContainers=None), id="project-from-links-only"),
    ],
)
def test_every_shape_names_the_same_comment(body: bytes) -> None:
    event = parse_event(body, organisation="contoso")
    assert isinstance(event, CommentEvent), event
    assert event.ref == REF


def test_a_payload_without_content_is_worth_a_look_but_addresses_nobody() -> None:
    event = parse_event(delivery({"comment": comment(None)}), organisation="contoso")
    assert event == CommentEvent(REF, is_addressed=False)


def test_talk_may_be_an_answer() -> None:
    event = parse_event(delivery({"comment": comment("Option 2")}), organisation="contoso")
    assert event == TalkEvent(REF)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "malformed", id="empty"),
        pytest.param(b"\xff\xfe", "malformed", id="bytes"),
        pytest.param(b"[1]", "malformed", id="list"),
        pytest.param(b"[" * 100_000, "malformed", id="deep"),
        pytest.param(b"{}", "other_event", id="no-event"),
        pytest.param(delivery(comment(), eventType="git.push"), "other_event", id="push"),
        pytest.param(delivery(comment("Nice!", _links={})), "no_command", id="talk"),
        pytest.param(
            delivery(comment("<!-- code-agent job=x kind=y -->")), "own_comment", id="own"
        ),
        pytest.param(delivery(comment(None, isDeleted=True)), "deleted", id="deleted"),
        pytest.param(delivery(comment(commentType="system")), "system_comment", id="system"),
        pytest.param(delivery(None), "no_ids", id="no-resource"),
        pytest.param(delivery(comment(_links={})), "no_ids", id="no-links"),
        pytest.param(delivery(comment(_links=[1])), "no_ids", id="links-of-another-kind"),
        pytest.param(
            delivery(comment(_links={"self": {"href": "x" * 3000}})), "no_ids", id="long-link"
        ),
        pytest.param(
            delivery({"comment": comment(_links=links(BASE.replace(REPOSITORY, "../../x")))}),
            "no_ids",
            id="no-guid",
        ),
        pytest.param(
            delivery({"comment": comment(), "pullRequest": {"pullRequestId": 10**40}}),
            "no_ids",
            id="huge-number",
        ),
    ],
)
def test_what_asks_for_nothing_is_ignored_with_a_reason(body: bytes, reason: str) -> None:
    assert parse_event(body, organisation="contoso") == IgnoredEvent(reason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["comment", "pullRequest", "repository", "id", "_links", "self", "href", "content"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(JSON)
def test_no_resource_makes_it_raise(resource: Any) -> None:
    body = delivery(resource)
    event = parse_event(body, organisation="contoso")
    assert isinstance(event, CommentEvent | TalkEvent | IgnoredEvent)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    assert isinstance(parse_event(body, organisation="contoso"), IgnoredEvent)
