import pytest

from shared.domain.errors import PolicyError
from shared.domain.pull_request import Identity, RepositoryRef
from shared.policy.permission import PermissionRules, decide_permission

REPOSITORY = RepositoryRef("contoso", "p", "r-guid", "Café #1", "storefront")
JAMAL = Identity("guid-1", "Jamal", "Jamal@contoso.com")
GROUPS = frozenset({r"[Café #1]\Contributors", "Developers"})


def rules(**names: set[str]) -> PermissionRules:
    return PermissionRules(**{key: frozenset(value) for key, value in names.items()})


@pytest.mark.parametrize(
    "allowing",
    [
        pytest.param(rules(allowed_users={"jamal@CONTOSO.com"}), id="unique-name"),
        pytest.param(rules(allowed_users={"GUID-1"}), id="identity-id"),
        pytest.param(rules(allowed_groups={r"[CAFÉ #1]\contributors"}), id="group"),
        pytest.param(rules(open_repositories={"café #1/Storefront"}), id="open-repository"),
        pytest.param(rules(open_repositories={"Café #1/*"}), id="open-project"),
        pytest.param(rules(open_repositories={"*"}), id="open-everywhere"),
        pytest.param(rules(open_repositories={"R-GUID"}), id="open-by-id"),
        pytest.param(
            rules(open_repositories={"*"}, allowed_repositories={"Café #1/storefront"}),
            id="allowed-repository",
        ),
    ],
)
def test_whom_the_operators_named_may_ask(allowing: PermissionRules) -> None:
    decide_permission(JAMAL, REPOSITORY, allowing, lambda: GROUPS)


@pytest.mark.parametrize(
    ("denying", "code"),
    [
        pytest.param(rules(), "permission.denied", id="nobody-by-default"),
        pytest.param(rules(allowed_users={"other@contoso.com"}), "permission.denied", id="other"),
        pytest.param(rules(allowed_groups={"Admins"}), "permission.denied", id="other-group"),
        pytest.param(rules(open_repositories={"Other/*"}), "permission.denied", id="other-open"),
        pytest.param(
            rules(allowed_users={"guid-1"}, allowed_repositories={"Other/*"}),
            "permission.repository_not_allowed",
            id="other-repository",
        ),
    ],
)
def test_everybody_else_is_denied(denying: PermissionRules, code: str) -> None:
    with pytest.raises(PolicyError) as refused:
        decide_permission(JAMAL, REPOSITORY, denying, lambda: GROUPS)
    assert refused.value.code == code


def test_an_empty_name_matches_no_rule() -> None:
    nobody = Identity("", "", "")
    with pytest.raises(PolicyError):
        decide_permission(nobody, REPOSITORY, rules(allowed_users={""}), lambda: ())


def test_groups_are_asked_for_only_when_it_comes_to_that() -> None:
    def never() -> tuple[str, ...]:
        raise AssertionError("asked")

    decide_permission(JAMAL, REPOSITORY, rules(allowed_users={"guid-1"}), never)
    with pytest.raises(PolicyError):
        decide_permission(JAMAL, REPOSITORY, rules(allowed_users={"x"}), never)
