"""Finds the rules of a stylesheet (CSS, SCSS, Less) and where their values stand, in one scan.

Pure. It knows comments, strings, brackets and nesting, and nothing else of CSS: it reports places
in the text, so that whoever edits leaves every other byte alone.
"""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Declaration:
    """One `property: value` of a rule."""

    name: str
    start: int
    """Where the property begins."""
    value_start: int
    value_end: int
    """Where the value ends, before any blank, `;` or `}`."""

    def value_in(self, text: str) -> str:
        """Cut the value out of the text it was found in."""
        return text[self.value_start : self.value_end]


@dataclass(slots=True)
class Rule:
    """A block with its prelude: a style rule, or an at-rule with a block."""

    prelude: str
    start: int
    """Where the prelude begins."""
    body_start: int
    """Behind the opening brace."""
    body_end: int = 0
    """At the closing brace."""
    is_conditional: bool = False
    """Stands in a block such as `@media`, `@supports` or `@keyframes`."""
    declarations: list[Declaration] = field(default_factory=list)

    @property
    def selectors(self) -> list[str]:
        """The selectors, one by one; none for an at-rule."""
        if self.prelude.startswith("@"):
            return []
        parts = re.split(r",(?![^(\[]*[)\]])", self.prelude)
        return [part.strip() for part in parts if part.strip()]

    def find(self, name: str) -> Declaration | None:
        """Answer the declaration that counts: the last of that name."""
        return next((found for found in reversed(self.declarations) if found.name == name), None)


_LEXEME = (
    r"/\*.*?(?:\*/|\Z)"
    r"|\"(?:[^\"\\\n]|\\.)*(?:\"|$)|'(?:[^'\\\n]|\\.)*(?:'|$)"
    r"|url\(\s*[^\"'\s)][^)]*\)"
    r"|#\{[^}]*\}"
    r"|[{};]"
)
_CSS = re.compile(_LEXEME, re.DOTALL | re.MULTILINE | re.IGNORECASE)
_SCSS = re.compile(_LEXEME + r"|//[^\n]*", re.DOTALL | re.MULTILINE | re.IGNORECASE)


def find_rules(text: str, *, has_line_comments: bool) -> list[Rule]:
    """Find every rule that is closed, in the order in which they begin.

    Args:
        text: the stylesheet.
        has_line_comments: whether `//` begins a comment (SCSS and Less).
    """
    rules: list[Rule] = []
    open_rules: list[Rule] = []
    start = 0
    for token in (_SCSS if has_line_comments else _CSS).finditer(text):
        kind = token[0]
        if kind == "{":
            prelude_start = _skip_blanks(text, start, token.start(), has_line_comments)
            prelude = _strip_comments(text[prelude_start : token.start()])
            inside = any(rule.prelude.startswith("@") for rule in open_rules)
            rule = Rule(prelude, prelude_start, token.end(), is_conditional=inside)
            open_rules.append(rule)
            rules.append(rule)
        elif kind in "};":
            if open_rules:
                _add_declaration(text, start, token.start(), open_rules[-1], has_line_comments)
            if kind == "}" and open_rules:
                open_rules.pop().body_end = token.start()
        else:
            continue  # comments, strings and urls hide what is in them
        start = token.end()
    return [rule for rule in rules if rule.body_end]


def _add_declaration(text: str, start: int, end: int, rule: Rule, has_line_comments: bool) -> None:  # noqa: FBT001 (a fact about the text, passed through)
    start = _skip_blanks(text, start, end, has_line_comments)
    match = re.compile(r"([-\w$@]+)\s*:\s*(?=\S)").match(text, start, end)
    if match is None:
        return
    value = text[match.end() : end]
    value = value[: len(value.rstrip())]
    trailing = re.search(r"\s*/\*[^*]*\*/$", value)
    if trailing:
        value = value[: trailing.start()]
    if value:
        name = match[1].lower()
        rule.declarations.append(Declaration(name, start, match.end(), match.end() + len(value)))


def _skip_blanks(text: str, start: int, end: int, has_line_comments: bool) -> int:  # noqa: FBT001 (as above)
    blank = r"(?:\s|/\*.*?\*/" + (r"|//[^\n]*(?:\n|\Z)" if has_line_comments else "") + ")*"
    match = re.compile(blank, re.DOTALL).match(text, start, end)
    return match.end() if match else start


def _strip_comments(text: str) -> str:
    return " ".join(re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL).split())
