"""Reads requests about looks: which elements of a page, which CSS declarations.

Pure. Words in English and German; what is not in the tables is not understood, and never guessed.
"""

import re
from dataclasses import dataclass
from typing import Final

_STRUCTURE: Final = frozenset(
    [
        "group",
        "groups",
        "toolbar",
        "wrapper",
        "wrap",
        "container",
        "list",
        "row",
        "bar",
        "icon",
        "label",
        "inner",
        "outer",
        "grid",
    ]
)
"""Parts of a class name that make it name something around or inside the element."""
_PSEUDO: Final = re.compile(r"::?[\w-]+(?:\([^)]*\))?")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


@dataclass(frozen=True, slots=True)
class Element:
    """A kind of thing on a page."""

    name: str
    selectors: tuple[str, ...]
    """What a new rule selects."""
    words: frozenset[str]
    """Tags and parts of class names that mean it."""
    is_surface: bool = False
    """Its colour is that of its background, not that of its text."""

    def is_subject_of(self, selector: str) -> bool:
        """Answer whether a single selector (without commas) is about this element."""
        compound = re.split(r"[\s>+~]+", _PSEUDO.sub("", selector).strip())[-1]
        tag = re.match(r"[\w-]+", compound)
        if tag and tag[0].lower() in self.words:
            return True
        if "button" in self.words and re.search(r"""\[type=["']?(?:submit|button)\b""", compound):
            return True
        for name in re.findall(r"[.#]([\w-]+)", compound):
            words = {word.lower() for word in _WORD.findall(name)}
            if words & self.words and not words & _STRUCTURE:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Look:
    """What is to look how."""

    element: Element
    declarations: tuple[tuple[str, str], ...]
    """CSS property and value, in the order in which they were asked for."""


def _element(selectors: str, words: str, *, surface: bool = False) -> Element:
    names = words.split()
    return Element(names[0], tuple(selectors.split(", ")), frozenset(names), is_surface=surface)


_ELEMENTS: Final = (
    (
        "buttons? schaltflächen? kn(?:o|ö)pfe? btns?",
        _element('button, .button, .btn, input[type="submit"]', "button btn buttons", surface=True),
    ),
    ("links? hyperlinks? anchors? verweise?", _element("a", "link a links anchor")),
    (
        "head(?:ing|line)s? titles? überschrift(?:en)? titel",
        _element("h1, h2, h3", "heading h1 h2 h3 h4 h5 h6 title headline"),
    ),
    ("header kopfzeilen?", _element("header, .header", "header masthead", surface=True)),
    ("footer fu(?:ß|ss)zeilen?", _element("footer, .footer", "footer", surface=True)),
    (
        "nav nav(?:igation)?(?:bar)? menus? menüs? navigations?leisten?",
        _element("nav, .nav, .menu", "nav navbar navigation menu", surface=True),
    ),
    ("cards? karten?", _element(".card", "card cards", surface=True)),
    ("tables? tabellen?", _element("table", "table", surface=True)),
    (
        "inputs? (?:input|text)?fields? eingabefelde?r?n? felder",
        _element("input, textarea, select", "input textarea select field", surface=True),
    ),
    ("sidebars? seitenleisten?", _element(".sidebar, aside", "sidebar aside", surface=True)),
    ("labels? beschriftung(?:en)?", _element("label", "label")),
    ("images? pictures? bilder? bild", _element("img", "img image picture")),
    ("paragraphs? absätze absatz", _element("p", "p paragraph text")),
    (
        "page body background site website seite hintergrund",
        _element("body", "body page", surface=True),
    ),
    ("text texte", _element("body", "body text")),
)
"""Words for an element and the element, the more special first."""

_GERMAN_COLOURS: Final = {
    "rot": "red",
    "grün": "green",
    "blau": "blue",
    "gelb": "yellow",
    "schwarz": "black",
    "weiß": "white",
    "weiss": "white",
    "grau": "gray",
    "lila": "purple",
    "violett": "violet",
    "rosa": "pink",
    "braun": "brown",
    "türkis": "turquoise",
}
_COLOURS: Final = frozenset(
    [
        "aqua",
        "beige",
        "black",
        "blue",
        "brown",
        "coral",
        "crimson",
        "cyan",
        "fuchsia",
        "gold",
        "gray",
        "green",
        "grey",
        "indigo",
        "ivory",
        "khaki",
        "lavender",
        "lime",
        "magenta",
        "maroon",
        "navy",
        "olive",
        "orange",
        "orchid",
        "pink",
        "plum",
        "purple",
        "red",
        "salmon",
        "sienna",
        "silver",
        "tan",
        "teal",
        "tomato",
        "turquoise",
        "violet",
        "white",
        "yellow",
    ]
)
"""CSS colour keywords. Source: https://www.w3.org/TR/css-color-4/#named-colors"""
_SHADES: Final = {"light": "light", "dark": "dark", "hell": "light", "dunkel": "dark"}
_KNOWN_SHADES: Final = frozenset(
    [
        "lightblue",
        "lightgreen",
        "lightgray",
        "lightgrey",
        "lightcyan",
        "lightsalmon",
        "darkblue",
        "darkgreen",
        "darkgray",
        "darkgrey",
        "darkcyan",
        "darkred",
        "darkmagenta",
        "darkorange",
        "darkviolet",
        "darksalmon",
    ]
)
_LIGHT_COLOURS: Final = frozenset(
    [
        "aqua",
        "beige",
        "cyan",
        "gold",
        "ivory",
        "khaki",
        "lavender",
        "lime",
        "pink",
        "plum",
        "silver",
        "tan",
        "turquoise",
        "violet",
        "white",
        "yellow",
        "orange",
        "coral",
        "salmon",
        "orchid",
    ]
)
_CODE: Final = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b", re.IGNORECASE)

_STYLES: Final = (
    (r"bold(?:er)?|fett(?:er)?", (("font-weight", "bold"),)),
    (r"italics?|kursiv", (("font-style", "italic"),)),
    (r"underlined?|unterstrichen", (("text-decoration", "underline"),)),
    (r"bigger|larger|big|large|größer|groß", (("font-size", "1.25em"),)),
    (r"smaller|small|tiny|kleiner|klein", (("font-size", "0.85em"),)),
    (r"rounded|round(?:er)?|abgerundete?|runde?r?", (("border-radius", "0.5rem"),)),
    (r"square|eckige?r?", (("border-radius", "0"),)),
    (r"hidden|invisible|hide|versteckt?|unsichtbar|ausgeblendet", (("display", "none"),)),
    (r"uppercase|großbuchstaben", (("text-transform", "uppercase"),)),
    (r"cent(?:er|re)d?|zentrierte?|mittig", (("text-align", "center"),)),
    (r"(?:half[- ]?)?transparent|durchsichtig", (("opacity", "0.5"),)),
)
_ASKS: Final = re.compile(
    r"\b(?:make|turn|set|colou?r|paint|change|style|give|use|hide|should|must|switch|mache?|färbe?"
    r"|setze|ändere?|stelle|gestalte|sollen|sollten|soll|müssen|let)\b",
    re.IGNORECASE,
)
_SHORT: Final = re.compile(r"^(?:\S+ ){1,4}\S+$")
"""A few words without a verb (`red buttons please`) are a request too."""


def read_look(text: str) -> Look | None:
    """Read a request about looks; None when it is about something else."""
    words = " ".join(text.lower().split()).strip(" .!")
    if not (_ASKS.search(words) or _SHORT.match(words)):
        return None
    declarations = _read_styles(words)
    found = _find_element(words)
    if found is None or (colour := _find_colour(words)) is None:
        return Look(found, declarations) if found and declarations else None
    return Look(found, ((_choose_property(words, found), colour), *declarations))


def contrast_of(colour: str) -> str:
    """Answer black or white, whichever is the easier to read on a colour."""
    code = colour.lstrip("#")
    if colour.startswith("#"):
        if len(code) in {3, 4}:
            code = "".join(digit * 2 for digit in code)
        red, green, blue = (int(code[at : at + 2], 16) for at in (0, 2, 4))
        # relative luminance, coarse: https://www.w3.org/TR/WCAG21/#dfn-relative-luminance
        return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"
    return "black" if colour in _LIGHT_COLOURS or colour.startswith("light") else "white"


def _find_element(words: str) -> Element | None:
    places = [
        (match.start(), order, element)
        for order, (names, element) in enumerate(_ELEMENTS)
        if (match := re.search(rf"\b(?:{'|'.join(names.split())})\b", words))
    ]
    if not places:
        return None
    specific = [place for place in places if place[1] < len(_ELEMENTS) - 2]
    return min(specific or places)[2]


def _find_colour(words: str) -> str | None:
    code = _CODE.search(words)
    if code:
        return code[0]
    found: str | None = None
    for word in re.findall(r"\w+(?:[- ]?\w+)?", words):
        found = _read_colour(word.replace("-", "").replace(" ", "")) or found
    for word in re.findall(r"\w+", words):
        found = found or _read_colour(word)
    return found


def _read_colour(word: str) -> str | None:
    for start, shade in _SHADES.items():
        if word.startswith(start):
            colour = _plain_colour(word.removeprefix(start))
            if colour and shade + colour in _KNOWN_SHADES:
                return shade + colour
            if colour:
                return colour
    return _plain_colour(word)


def _plain_colour(word: str) -> str | None:
    if word in _COLOURS:
        return word
    for german, colour in _GERMAN_COLOURS.items():
        if word == german or (word.startswith(german) and word[len(german) :] in _ENDINGS):
            return colour
    return None


_ENDINGS: Final = frozenset({"e", "er", "es", "en", "em"})


def _choose_property(words: str, element: Element) -> str:
    if re.search(r"\b(?:border|borders|rahmen|rand)\b", words):
        return "border-color"
    if re.search(r"\b(?:text|label|font|schrift|textfarbe|schriftfarbe)\b", words):
        return "color"
    if re.search(r"\b(?:background|hintergrund|hintergrundfarbe)\b", words) or element.is_surface:
        return "background-color"
    return "color"


def _read_styles(words: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        declaration
        for pattern, declarations in _STYLES
        if re.search(rf"\b(?:{pattern})\b", words)
        for declaration in declarations
    )
