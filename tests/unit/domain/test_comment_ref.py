import dataclasses
import json
from typing import Any

import pytest

from shared.domain.comment_ref import CommentRef
from shared.domain.names import build_branch

PROJECT = "11111111-1111-1111-1111-111111111111"
REPOSITORY = "22222222-2222-2222-2222-222222222222"
REF = CommentRef("contoso", PROJECT, REPOSITORY, 12, 5, 1)


def test_the_same_comment_is_the_same_job() -> None:
    again = CommentRef.from_plain(json.loads(json.dumps(REF.to_plain())))
    assert again == REF
    assert again.instance_id == REF.instance_id
    assert dataclasses.replace(REF, organisation="Contoso").instance_id == REF.instance_id


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("organisation", "fabrikam"),
        ("project_id", REPOSITORY),
        ("repository_id", PROJECT),
        ("pull_request_id", 13),
        ("thread_id", 6),
        ("comment_id", 2),
    ],
)
def test_another_comment_is_another_job(part: str, value: Any) -> None:
    other = dataclasses.replace(REF, **{part: value})
    assert other.instance_id != REF.instance_id
    assert (other.thread_key == REF.thread_key) is (part == "comment_id")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("organisation", ""),
        ("organisation", "a/b"),
        ("project_id", "Fabrikam"),
        ("repository_id", PROJECT + "\n"),
        ("project_id", "A" * 8 + PROJECT[8:]),
        ("pull_request_id", 0),
        ("thread_id", True),
        ("comment_id", 2**31),
        ("comment_id", "1"),
    ],
)
def test_what_could_not_be_a_comment_is_refused(part: str, value: Any) -> None:
    with pytest.raises(ValueError, match=part):
        dataclasses.replace(REF, **{part: value})


def test_every_variant_has_a_branch_of_its_own_under_the_agents_folder() -> None:
    assert build_branch(REF, 3) == "agents/edit-12-5-1/v3"
