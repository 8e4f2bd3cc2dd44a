"""Measured on requests as people write them: a false question annoys more than a missing one."""

import pytest

from shared.policy.vagueness import (
    OptionKind,
    QuestionOption,
    Surroundings,
    VagueReason,
    find_question,
    judge_words,
)

CLEAR = (
    "make all buttons red",
    "buttons red",
    "make it red",
    "add tests",
    "add a dark mode",
    "fix the failing test",
    "fix typos",
    "fix lint errors",
    "fix the login redirect",
    "fix the bugs in checkout",
    "handle timeouts",
    "remove dead code",
    "remove the console output",
    "rename total to sum",
    "rename `total` to `net_total`",
    "replace Add to cart with Buy in index.html",
    "use async here",
    "add a docstring to with_vat",
    "improve the error message of the login form",
    "improve the performance of the cart",
    "make the header sticky",
    "make it responsive",
    "increase the timeout to 30",
    "update the README",
    "upgrade to Python 3.12",
    "refactor cart.js",
    "clean up the imports",
    "simplify total()",
    "add logging",
    "translate the page to German",
    "change #ff0000 to the brand colour",
    "either red or blue buttons",
    "Bitte alle Knöpfe rot machen",
    "alle Knöpfe rot",
    "Rechtschreibung korrigieren",
    "füge Tests hinzu",
    "den Titel fett machen",
    "Fehlerbehandlung ergänzen",
    "mach die Überschrift größer",
    "lösche die Datei docs/windows.txt",
    "Ladezeit der Startseite verbessern",
    "把按钮改成红色",
    "исправь опечатки",
)
VAGUE = {
    "fix it": "too_short",
    "fix this": "too_short",
    "Fix this please!": "too_short",
    "please fix": "too_short",
    "improve this": "too_short",
    "improve": "too_short",
    "make it better": "too_short",
    "Make it nicer, please": "too_short",
    "make it work": "too_short",
    "can you make this look good?": "too_short",
    "could you please clean this up a bit": "too_short",
    "clean up": "too_short",
    "refactor": "too_short",
    "refactor this": "too_short",
    "optimize": "too_short",
    "do it": "too_short",
    "it doesn't work": "too_short",
    "this is ugly": "too_short",
    "?????": "too_short",
    "try again": "too_short",
    "improve the code": "no_object",
    "improve code quality": "no_object",
    "fix the bug": "no_object",
    "Fix all the bugs.": "no_object",
    "fix the issues": "no_object",
    "there is a problem, please fix it": "no_object",
    "make everything better": "no_object",
    "clean up the code": "no_object",
    "update the files": "no_object",
    "refactor the whole thing?": "no_object",
    "do something": "no_object",
    "make some changes": "no_object",
    "aufräumen": "too_short",
    "bitte aufräumen": "too_short",
    "räum das mal auf": "too_short",
    "mach es besser": "too_short",
    "bitte verbessern": "too_short",
    "verbessere das hier": "too_short",
    "kannst du das schöner machen?": "too_short",
    "das geht nicht, bitte reparieren": "too_short",
    "behebe den Fehler": "no_object",
    "bitte alle Fehler beheben": "no_object",
    "Code verbessern": "no_object",
    "mach den Code schöner": "no_object",
    "optimiere alles": "no_object",
    "überarbeite den ganzen Code": "no_object",
}
NOWHERE = Surroundings(ranked_paths=())


@pytest.mark.parametrize("request_", CLEAR)
def test_a_clear_request_is_never_asked_about(request_: str) -> None:
    assert judge_words(request_) is None


@pytest.mark.parametrize("request_", VAGUE)
def test_a_vague_request_is_asked_about(request_: str) -> None:
    question = find_question(request_, NOWHERE)
    assert question is not None
    assert question.reason == VAGUE[request_]


@pytest.mark.parametrize("request_", ["fix this", "improve the code", "aufräumen"])
def test_a_thread_on_a_file_says_where(request_: str) -> None:
    assert find_question(request_, Surroundings((), thread_path="src/a.css")) is None


def list_options(request: str, around: Surroundings) -> list[tuple[str, ...]]:
    question = find_question(request, around)
    assert question is not None
    return [option.paths for option in question.options]


def test_the_files_of_the_pull_request_come_first_as_a_whole() -> None:
    around = Surroundings(("a", "b", "c", "d", "e"), changed_paths=("e", "d", "b", "gone"))
    question = find_question("fix it", around)
    assert question is not None
    assert question.options == (
        QuestionOption(OptionKind.CHANGED_FILES, ("b", "d", "e")),
        *(QuestionOption(OptionKind.ONE_FILE, (path,)) for path in "bde"),
    )


def test_one_changed_file_is_the_likeliest() -> None:
    around = Surroundings(("a", "b", "c", "d"), changed_paths=("c",))
    assert list_options("fix it", around) == [("c",), ("a",), ("b",)]


def test_without_changes_the_best_files_are_options_and_without_files_there_are_none() -> None:
    assert list_options("fix it", Surroundings(("a", "b", "c", "d"))) == [("a",), ("b",), ("c",)]
    assert list_options("fix it", NOWHERE) == []


TWO = ("shop/style.css", "admin/style.css", "README.md", "docs/README.md")


def test_a_name_that_several_files_have_is_asked_about_with_those_files() -> None:
    question = find_question("make the links blue in style.css", Surroundings(TWO))
    assert question is not None
    assert (question.reason, question.subject) == (VagueReason.SEVERAL_MEANINGS, "style.css")
    assert [option.paths for option in question.options] == [(TWO[0],), (TWO[1],)]


@pytest.mark.parametrize(
    ("request_", "around"),
    [
        pytest.param("links blue in admin/style.css", Surroundings(TWO), id="a-path"),
        pytest.param("links blue in every style.css", Surroundings(TWO), id="all-of-them"),
        pytest.param("add a style.css to the blog", Surroundings(TWO), id="a-new-one"),
        pytest.param("a link in README.md", Surroundings(TWO), id="the-root"),
        pytest.param("a link in other.css", Surroundings(TWO), id="none"),
        pytest.param("a link in style.css", Surroundings(TWO[:1]), id="only-one"),
        pytest.param(
            "links blue in style.css", Surroundings(TWO, thread_path=TWO[1]), id="the-threads"
        ),
        pytest.param(
            "links blue in style.css", Surroundings(TWO, changed_paths=TWO[1:2]), id="the-changed"
        ),
    ],
)
def test_a_name_that_is_clear_otherwise_is_not_asked_about(
    request_: str, around: Surroundings
) -> None:
    assert find_question(request_, around) is None
