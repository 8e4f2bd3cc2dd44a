"""Route templates match as in ASP.NET."""

import pytest

from local.functions_host.routing import RouteError, Router, compile_route


def match(template: str, path: str) -> dict[str, str] | None:
    return compile_route(template, [], None, where="here").match(path)


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("a/b", "a/b", {}),
        ("a/b", "A/B", {}),
        ("a/{x}", "a/b%2Fc", {"x": "b/c"}),
        ("a/{x}", "a", None),
        ("a/{x?}", "a", {}),
        ("a/{x?}", "a/1", {"x": "1"}),
        ("a/{x=7}", "a", {"x": "7"}),
        ("{a}-{b}.txt", "one-two.txt", {"a": "one", "b": "two"}),
        ("files/{*rest}", "files/a/b", {"rest": "a/b"}),
        ("files/{*rest}", "files", {}),
        ("{x:int}", "-12", {"x": "-12"}),
        ("{x:int}", "2147483648", None),
        ("{x:long}", "2147483648", {"x": "2147483648"}),
        ("{x:guid}", "0f8fad5bd9cb469fa16570867728950e", {"x": "0f8fad5bd9cb469fa16570867728950e"}),
        ("{x:guid}", "not-a-guid", None),
        ("{x:bool}", "TRUE", {"x": "TRUE"}),
        ("{x:alpha}", "abc1", None),
        ("{x:datetime}", "2026-11-24", {"x": "2026-11-24"}),
        ("{x:decimal}", "1.5", {"x": "1.5"}),
        ("{x:double}", "1e3", {"x": "1e3"}),
        ("{x:min(3)}", "2", None),
        ("{x:max(3)}", "3", {"x": "3"}),
        ("{x:range(2,4)}", "5", None),
        ("{x:length(2)}", "abc", None),
        ("{x:length(2,4)}", "abc", {"x": "abc"}),
        ("{x:minlength(4)}", "abc", None),
        ("{x:maxlength(4)}", "abc", {"x": "abc"}),
        (r"{x:regex(^\d{3}$)}", "123", {"x": "123"}),
        (r"{x:regex(^\d{3}$)}", "1234", None),
        ("{x:int:min(1)?}", "", {}),
    ],
)
def test_template_matches_or_not(template: str, path: str, values: dict[str, str] | None) -> None:
    assert match(template, path) == values


@pytest.mark.parametrize("template", ["a/{x", "a/x}", "{x:unheard}", "{x:min(a)}", "{x:regex([)}"])
def test_malformed_template_names_where_it_stands(template: str) -> None:
    with pytest.raises(RouteError, match=r"^here: "):
        compile_route(template, [], None, where="here")


def test_precedence_is_literal_constrained_free_catch_all() -> None:
    templates = ["{*rest}", "a/{x}", "a/{x:int}", "a/b", "{y}/b"]
    router = Router(compile_route(text, ["get"], text, where="here") for text in templates)

    def find(path: str) -> str | None:
        found = router.find("GET", path)
        return found[0] if found else None

    assert find("/a/b") == "a/b"
    assert find("/a/1") == "a/{x:int}"
    assert find("/a/z") == "a/{x}"
    assert find("/z/b") == "{y}/b"
    assert find("/z/z/z") == "{*rest}"
    assert router.find("POST", "/a/b") is None
