"""Gives the rules of a stylesheet another colour, in as many ways as there are strategies.

Reads stylesheets line by line, which is enough for those that are written one declaration a line.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from local.demo.quoting import Edit, Sheet

COLOURS: Final = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (165, 42, 42),
    "cyan": (0, 255, 255),
    "gold": (255, 215, 0),
    "gray": (128, 128, 128),
    "green": (0, 128, 0),
    "grey": (128, 128, 128),
    "indigo": (75, 0, 130),
    "lime": (0, 255, 0),
    "magenta": (255, 0, 255),
    "maroon": (128, 0, 0),
    "navy": (0, 0, 128),
    "olive": (128, 128, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "silver": (192, 192, 192),
    "teal": (0, 128, 128),
    "violet": (238, 130, 238),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}
"""Source: https://www.w3.org/TR/css-color-4/#named-colors"""
LEGIBLE_CONTRAST: Final = 4.5
"""Against white text. Source: https://www.w3.org/TR/WCAG22/#contrast-minimum"""
_ELEMENTS: Final = {"heading": "h1", "title": "h1", "link": "a", "page": "body", "text": "body"}
"""What is coloured by its text, and how pages call it."""
_ROOT: Final = re.compile(r"^:root$")
_SELECTOR: Final = re.compile(r"^\s*(?P<selector>[^@{}]+?)\s*\{\s*$")
_DECLARATION: Final = re.compile(r"^\s*(?P<name>[a-z-]+)\s*:")
_STYLESHEET: Final = re.compile(r"""^\s*<link rel="stylesheet" href="(?P<href>[^"]*)">\s*$""")


@dataclass(frozen=True, slots=True)
class Look:
    """What is to have which colour."""

    thing: str
    colour: str

    @property
    def word(self) -> str:
        """The thing as stylesheets call it."""
        return _ELEMENTS.get(self._single, self._single)

    @property
    def searched(self) -> str:
        """What is searched for in order to find it."""
        return f"<{self.word}" if self.is_element else self.word

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a selector holds that is about the thing."""
        name = re.escape(self.word)
        edges = rf"(?<![\w.#-]){name}(?![\w-])" if self.is_element else rf"(?<!\w){name}s?(?![a-z])"
        return re.compile(edges, re.IGNORECASE)

    @property
    def names(self) -> tuple[str, ...]:
        """The properties that hold its colour, the usual one first."""
        return ("color",) if self.is_element else ("background", "background-color")

    @property
    def is_element(self) -> bool:
        """Whether pages say it with an element of its own."""
        return self._single in _ELEMENTS

    @property
    def _single(self) -> str:
        return self.thing.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a stylesheet, by its lines (from 0)."""

    sheet: Sheet
    selector: str
    first: int
    declarations: dict[str, int]

    @property
    def is_state(self) -> bool:
        """Whether it is for a moment only, such as while somebody points at it."""
        return ":" in self.selector

    def find(self, names: Sequence[str]) -> int | None:
        """Answer the line of the first of these declarations."""
        return next((self.declarations[name] for name in names if name in self.declarations), None)


@dataclass(frozen=True, slots=True)
class Work:
    """What a way of doing it has to go on."""

    look: Look
    sheets: Sequence[Sheet]
    rules: Sequence[Rule]
    """Those of the thing."""

    def set_values(self, value: str, *, states: str = "", above: str = "") -> list[Edit]:
        """Set the colour in the existing rules; `states` in those for a moment, if given."""
        return [
            edit
            for rule in self.rules
            if (at := rule.find(self.look.names)) is not None
            for wished in [states if rule.is_state else value]
            if wished
            for edit in [_set_value(rule, at, wished, above)]
        ]

    def build_rule(self, rules: Sequence[Rule]) -> list[str]:
        """Build a rule with the colour alone, for what these rules are for."""
        names = list(dict.fromkeys(rule.selector for rule in rules if not rule.is_state))
        selector = ",\n".join(names or [self.look.word])
        return [f"{selector} {{", f"  {self.look.names[0]}: {self.look.colour};", "}"]


def find_colour(word: str) -> str | None:
    """Answer the colour as stylesheets write it; None where it is none."""
    lower = word.lower()
    return lower if lower in COLOURS or lower.startswith("#") else None


def recolour(look: Look, sheets: Sequence[Sheet], approach: str) -> tuple[list[Edit], str]:
    """Answer the edits of the way that an approach asks for, and what they do."""
    styles = [sheet for sheet in sheets if sheet.path.endswith(".css")]
    rules = [rule for sheet in styles for rule in _find_rules(sheet, look.pattern)]
    work = Work(look, sheets, [one for one in rules if one.find(look.names) is not None])
    if not work.rules:
        return _begin_rule(work, styles, rules)
    said = approach.lower()
    way = next((way for phrase, way in _WAYS if phrase in said), _change_in_place)
    return way(work)


def _begin_rule(
    work: Work, styles: Sequence[Sheet], rules: Sequence[Rule]
) -> tuple[list[Edit], str]:
    """Add the first rule that gives the thing a colour; nothing where nobody knows how."""
    if not styles or not (rules or work.look.is_element):
        return [], ""
    linked = max(styles, key=lambda style: sum(_is_linked(style, page) for page in work.sheets))
    sheet = rules[0].sheet if rules else linked
    return [sheet.append(["", *work.build_rule(rules)])], f"Added a rule to {sheet.path}."


def _change_in_place(work: Work) -> tuple[list[Edit], str]:
    return work.set_values(work.look.colour), f"Set {work.look.colour} in the existing rules."


def _define_once(work: Work) -> tuple[list[Edit], str]:
    return _define(work, states=False), "Gave the colour one definition that the rules share."


def _define_with_states(work: Work) -> tuple[list[Edit], str]:
    return _define(work, states=True), "Gave the colour and its darker shade one definition each."


def _define(work: Work, *, states: bool) -> list[Edit]:
    name = f"--{work.look.word}-colour"
    dark = f"{name}-active" if states else ""
    edits = work.set_values(f"var({name})", states=dark and f"var({dark})")
    new = [f"  {name}: {work.look.colour};"]
    new += [f"  {dark}: {_darken(work.look.colour)};"] if states else []
    for sheet in work.sheets:
        for rule in _find_rules(sheet, _ROOT):
            first = rule.sheet.lines[rule.first]
            return [sheet.put(rule.first, rule.first, [first, *new]), *edits]
    home = work.rules[0].sheet
    return [home.put(0, 0, [":root {", *new, "}", "", home.lines[0]]), *edits]


def _add_beside(work: Work) -> tuple[list[Edit], str]:
    edits = []
    for sheet in work.sheets:
        rules = [rule for rule in work.rules if rule.sheet is sheet and not rule.is_state]
        if rules:
            edits.append(sheet.append(["", *work.build_rule(rules)]))
    return edits, "Added a rule with the colour behind the existing ones."


def _change_states_too(work: Work) -> tuple[list[Edit], str]:
    dark = _darken(work.look.colour)
    edits = work.set_values(work.look.colour, states=dark)
    return edits, f"Set {work.look.colour} in the existing rules, and {dark} while pointed at."


def _add_stylesheet(work: Work) -> tuple[list[Edit], str]:
    path = f"css/{work.look.word}-colour.css"
    content = "\n".join(work.build_rule(work.rules)) + "\n"
    links = [edit for sheet in work.sheets for edit in _link(sheet, path)]
    create = {"action": "create", "path": path, "content": content}
    return [create, *links], f"Put the colour into {path}, which the pages load last."


def _link(sheet: Sheet, path: str) -> Iterator[Edit]:
    places = [at for at, line in enumerate(sheet.lines) if _STYLESHEET.match(line)]
    if places:
        last = sheet.lines[places[-1]]
        link = re.sub(r'href="[^"]*"', f'href="{path}"', last)
        yield sheet.put(places[-1], places[-1], [last, link])


def _stay_legible(work: Work) -> tuple[list[Edit], str]:
    colour = work.look.colour
    while _measure_contrast(colour) < LEGIBLE_CONTRAST:
        colour = _darken(colour, by=0.95)
    darker = replace(work, look=replace(work.look, colour=colour))
    said = f"Set {colour} in the existing rules, in which white text can be read."
    return darker.set_values(colour), said


def _insist(work: Work) -> tuple[list[Edit], str]:
    edits = work.set_values(f"{work.look.colour} !important")
    return edits, f"Set {work.look.colour} so that no later rule overrides it."


def _explain(work: Work) -> tuple[list[Edit], str]:
    why = f"/* {work.look.thing} are {work.look.colour} throughout the site */"
    return work.set_values(work.look.colour, above=why), "Set the colour, and said why beside it."


def _allow_for_others(work: Work) -> tuple[list[Edit], str]:
    value = f"var(--{work.look.word}-colour, {work.look.colour})"
    return work.set_values(value), f"Made {work.look.colour} the default of a variable."


_WAYS: Final[Sequence[tuple[str, Callable[[Work], tuple[list[Edit], str]]]]] = (
    ("smallest change", _change_in_place),
    ("one definition", _define_once),
    ("add beside", _add_beside),
    ("neighbouring cases", _change_states_too),
    ("place of its own", _add_stylesheet),
    ("accessible", _stay_legible),
    ("consistent", _define_with_states),
    ("overridden", _insist),
    ("document it", _explain),
    ("easy to adjust", _allow_for_others),
)
"""What an approach says, and what is done then."""


def _is_linked(style: Sheet, page: Sheet) -> bool:
    links = filter(None, map(_STYLESHEET.match, page.lines))
    return any(link["href"].endswith(style.path.rpartition("/")[2]) for link in links)


def _find_rules(sheet: Sheet, wanted: re.Pattern[str]) -> Iterator[Rule]:
    rule: Rule | None = None
    for at, line in enumerate(sheet.lines):
        if opened := _SELECTOR.match(line):
            rule = Rule(sheet, opened["selector"], at, {})
        elif "}" in line:
            if rule is not None and wanted.search(rule.selector):
                yield rule
            rule = None
        elif rule is not None and (declared := _DECLARATION.match(line)):
            rule.declarations[declared["name"]] = at


def _set_value(rule: Rule, at: int, value: str, above: str) -> Edit:
    line = rule.sheet.lines[at]
    changed = re.sub(r":.*$", lambda _: f": {value};", line)
    indent = line[: len(line) - len(line.lstrip())]
    return rule.sheet.put(at, at, [*([indent + above] if above else []), changed])


def _read_colour(colour: str) -> tuple[int, int, int]:
    if colour in COLOURS:
        return COLOURS[colour]
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _darken(colour: str, by: float = 0.75) -> str:
    return "#" + "".join(f"{int(part * by):02x}" for part in _read_colour(colour))


def _measure_contrast(colour: str) -> float:
    """Answer the contrast with white, 1 to 21."""
    parts = [part / 255 for part in _read_colour(colour)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)
