import pytest

from shared.context.paths import describe_path, weigh_path
from shared.context.words import split_words


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/test_cart.py", True),
        ("src/Shop.Tests/CartTests.cs", True),
        ("src/Shop.IntegrationTests/Cart.cs", True),
        ("web/cart.spec.ts", True),
        ("src/Shop.TestUtilities/Basket.cs", True),
        ("src/Shop/CartSpecs.cs", True),
        ("web/__tests__/cart.tsx", True),
        ("web/__fixtures__/cart.ts", True),
        ("web/cart.test-d.ts", True),
        ("web/cart.cy.ts", True),
        ("packages/test-utils/src/cart.ts", True),
        ("web/testUtils.ts", True),
        ("shop/tests.py", True),
        ("app/requests/latest.py", False),
        ("src/Contest.java", False),
        ("src/attestation.ts", False),
        ("src/PodSpec.cs", False),
        ("shop/testing.py", False),
    ],
)
def test_tests_are_told_by_their_paths(path: str, *, is_test: bool) -> None:
    assert describe_path(path).is_test is is_test


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("azure-pipelines.yml", "run it nightly in the yml"),
        ("site/main.css", "make all buttons red"),
        ("src/cart.py", "round the total"),
        ("src/Api.generated.cs", "generate the client anew"),
        ("shop/migrations/0002_cart.py", "the migration fails"),
    ],
)
def test_what_is_asked_for_is_not_demoted(path: str, asked: str) -> None:
    assert weigh_path(describe_path(path), frozenset(split_words(asked))) == 1


@pytest.mark.parametrize(
    ("path", "asked"),
    [("README.md", "say it in the README"), ("tests/cart.py", "write tests for it")],
)
def test_tests_and_documents_that_are_asked_for_are_demoted_less(path: str, asked: str) -> None:
    facts = describe_path(path)
    assert weigh_path(facts, {"cart"}) < weigh_path(facts, frozenset(split_words(asked))) < 1


@pytest.mark.parametrize(
    "path",
    [
        *("README.md", "package.json", "tests/cart.py", "web/page.css"),
        *("HISTORY.md", "docs/release-notes.txt", "CHANGELOG-1.2.md"),
        *(
            "src/Api.generated.cs",
            "src/Shop/Properties/AssemblyInfo.cs",
            "src/Shop.Samples/Cart.cs",
        ),
        *(
            "shop/migrations/0002_cart.py",
            "src/Migrations/ShopModelSnapshot.cs",
            "web/cart.bench.ts",
        ),
    ],
)
def test_what_is_seldom_meant_is_demoted(path: str) -> None:
    assert 0 < weigh_path(describe_path(path), {"cart"}) < 0.7


def test_twins_share_their_stem() -> None:
    stems = {
        describe_path(path).stem
        for path in ("src/cart.py", "tests/test_cart.py", "web/cart.test.ts", "a/cart_test.go")
    }
    assert len(stems) == 1


@pytest.mark.parametrize("path", ["news/models.py", "src/history.ts", "changes/apply.py"])
def test_source_is_no_changelog_for_its_name(path: str) -> None:
    assert weigh_path(describe_path(path), {"cart"}) == 1
