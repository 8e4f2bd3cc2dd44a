"""Makes elements of a page look different, in a way of its own for each strategy.

Edits the stylesheets (CSS, SCSS, Less) that are about the element, of those that a page loads,
where any does; where there is none, the style block of an HTML page. Every way is visible and
syntactically right, and no two of them write the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.llm.by_hand.linked import count_pages
from shared.llm.by_hand.looks import Element, Look, contrast_of
from shared.llm.by_hand.remark import neutralise
from shared.llm.by_hand.stylesheet import Declaration, Rule, find_rules
from shared.llm.by_hand.workspace import Workspace

MAX_SHEETS: Final = 5
MAX_LOOKED_AT: Final = 200
"""Stylesheets that are read to find those about the element."""
MAX_SELECTORS: Final = 6

_SIMPLE_COLOUR: Final = re.compile(
    r"#[0-9a-f]{3,8}|[a-z]+|var\([^()]*\)|[$@][\w-]+|(?:rgb|hsl)a?\([^()]*\)", re.IGNORECASE
)
_STYLE_BLOCK: Final = re.compile(
    r"<style\b[^>]*>[ \t]*\n(.*?)^[ \t]*</style>", re.IGNORECASE | re.DOTALL | re.MULTILINE
)
_HEAD_END: Final = re.compile(r"^([ \t]*)</head>", re.IGNORECASE | re.MULTILINE)
_LEADING: Final = re.compile(
    r"(?:\s*(?:/\*.*?\*/|//[^\n]*|@(?:charset|import|use|forward|layer)[^{};]*;))*[ \t]*\n?",
    re.DOTALL,
)


@dataclass(slots=True)
class _Sheet:
    """One stylesheet: a file of its own, or the style block of a page."""

    path: str
    text: str
    start: int
    end: int
    base: str = ""
    """Indentation of a rule."""
    rules: list[Rule] = field(default_factory=list)
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def is_page(self) -> bool:
        return self.path.lower().endswith((".html", ".htm"))

    @property
    def unit(self) -> str:
        """What a declaration is indented by, beyond its rule."""
        for rule in self.rules:
            if rule.declarations:
                line = self.text[: rule.declarations[0].start].rpartition("\n")[2]
                outer = self.text[: rule.start].rpartition("\n")[2]
                if not line.strip() and not outer.strip() and len(line) > len(outer):
                    return line[len(outer) :]
        return "  "

    def set_value(self, declaration: Declaration, value: str) -> None:
        old = declaration.value_in(self.text)
        keep = " !important" if old.lower().endswith("!important") else ""
        self.edits.append((declaration.value_start, declaration.value_end, value + keep))

    def add_declaration(self, rule: Rule, name: str, value: str) -> None:
        outer = self.text[: rule.start].rpartition("\n")[2]
        indent = (outer if not outer.strip() else "") + self.unit
        body = self.text[rule.body_start : rule.body_end]
        written = f"{name}: {value};"
        if not rule.declarations:
            tail = "" if "\n" in body else "\n" + indent[: -len(self.unit)]
            self.edits.append((rule.body_start, rule.body_start, f"\n{indent}{written}{tail}"))
            return
        at = rule.declarations[-1].value_end
        ended = re.compile(r"\s*;").match(self.text, at, rule.body_end)
        semicolon = "" if ended else ";"
        at = ended.end() if ended else at
        if "\n" not in body:
            self.edits.append((at, at, f"{semicolon} {written}"))
            return
        rest = self.text[at : rule.body_end].partition("\n")[0]
        if not semicolon and "}" not in rest and "{" not in rest:
            at += len(rest)
        self.edits.append((at, at, f"{semicolon}\n{indent}{written}"))

    def write_rule(self, selectors: Sequence[str], declarations: Sequence[tuple[str, str]]) -> str:
        head = (",\n" + self.base).join(selectors)
        body = "".join(f"{self.base}{self.unit}{name}: {value};\n" for name, value in declarations)
        return f"{self.base}{head} {{\n{body}{self.base}}}\n"

    def append(self, block: str) -> None:
        """Add a block at the end, behind a blank line."""
        before = self.text[self.start : self.end]
        gap = ""
        if before.strip():
            gap = "\n" if before.endswith("\n") else "\n\n"
        # a file's last newline is not in its text: the block must not end in one
        tail = block if self.is_page or before.endswith("\n") else block.rstrip("\n")
        self.edits.append((self.end, self.end, gap + tail))

    def insert_first(self, block: str) -> None:
        """Add a block behind what must come first (comments, @charset, @import)."""
        match = _LEADING.match(self.text, self.start, self.end)
        at = match.end() if match else self.start
        lead = "" if at == self.start or self.text[at - 1] == "\n" else "\n"
        self.edits.append((at, at, f"{lead}{block}"))

    def render(self) -> str:
        text = self.text
        for start, end, new in sorted(self.edits, key=lambda edit: edit[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return text


@dataclass(frozen=True, slots=True)
class _Task:
    workspace: Workspace
    look: Look
    sheets: list[_Sheet]
    intent: str

    @property
    def main(self) -> _Sheet:
        return self.sheets[0]

    def targets(self) -> list[tuple[_Sheet, Rule]]:
        """The rules about the element as it is, in no special state."""
        return [
            (sheet, rule)
            for sheet in self.sheets
            for rule in sheet.rules
            if not rule.is_conditional and _is_about(rule, self.look.element, plain=True)
        ]

    def selectors(self) -> list[str]:
        """What selects the element in this code base."""
        found = [
            selector
            for _, rule in self.targets()
            for selector in rule.selectors
            if self.look.element.is_subject_of(selector)
        ]
        return list(dict.fromkeys(found))[:MAX_SELECTORS] or list(self.look.element.selectors)

    def owners(self, name: str) -> list[tuple[_Sheet, Rule, Declaration | None]]:
        """Where a property of the element is set, or else where it can be."""
        set_here: list[tuple[_Sheet, Rule, Declaration | None]] = [
            (sheet, rule, declaration)
            for sheet, rule in self.targets()
            if (declaration := _find_declaration(sheet, rule, name)) is not None
        ]
        if set_here:
            return set_here
        return [(sheet, rule, None) for sheet, rule in self.targets()[:1]]

    def assign(self, name: str, value: str) -> None:
        """Set a property where it is set now, in the element's rule, or in a new rule."""
        owners = self.owners(name)
        for sheet, rule, declaration in owners:
            if declaration is None:
                sheet.add_declaration(rule, name, value)
            else:
                sheet.set_value(declaration, value)
        if not owners:
            self.main.append(self.main.write_rule(self.look.element.selectors, [(name, value)]))


def restyle(
    workspace: Workspace, look: Look, *, file: str | None, strategy: str, intent: str
) -> str | None:
    """Carry out a request about looks; answers what was done, or None where no page has a look."""
    sheets = _find_sheets(workspace, look.element, file)
    if not sheets:
        return None
    task = _Task(workspace, look, sheets, intent)
    done = _WAYS.get(strategy, _change_in_place)(task)
    changed = [sheet for sheet in sheets if sheet.edits]
    for sheet in changed:
        workspace.write_text(sheet.path, sheet.render())
    where = ", ".join(sheet.path for sheet in changed)
    return f"{done} ({where})." if where else None


def _change_in_place(task: _Task) -> str:
    for name, value in task.look.declarations:
        task.assign(name, value)
    return f"Changed the look of the {task.look.element.name} in the existing rules"


def _use_variable(task: _Task) -> str:
    block: list[tuple[str, str]] = []
    sigil = _find_sigil(task)
    for name, value in task.look.declarations:
        variable = f"{task.look.element.name}-{_short_name(name)}"
        block.append((f"{sigil}{variable}", value))
        task.assign(name, f"var(--{variable})" if sigil == "--" else f"{sigil}{variable}")
    root = next((rule for rule in task.main.rules if rule.prelude == ":root"), None)
    if sigil != "--":
        task.main.insert_first("".join(f"{name}: {value};\n" for name, value in block) + "\n")
    elif root is not None:
        for name, value in block:
            task.main.add_declaration(root, name, value)
    else:
        task.main.insert_first(task.main.write_rule([":root"], block) + "\n")
    return f"Gave the {task.look.element.name} a variable of its own and used it in the rules"


def _add_override(task: _Task) -> str:
    task.main.append(task.main.write_rule(task.selectors(), task.look.declarations))
    return f"Added a rule for the {task.look.element.name} behind the existing ones"


def _cover_states(task: _Task) -> str:
    _change_in_place(task)
    states = 0
    for sheet in task.sheets:
        for rule in sheet.rules:
            if rule.is_conditional or not _is_about(rule, task.look.element, plain=False):
                continue
            for name, value in task.look.declarations:
                declaration = _find_declaration(sheet, rule, name)
                if declaration is not None:
                    sheet.set_value(declaration, value)
                    states += 1
    selectors = [
        f"{selector}{state}"
        for state in (":hover", ":focus-visible")
        for selector in task.selectors()
    ]
    task.main.append(task.main.write_rule(selectors, [("filter", "brightness(0.9)")]))
    return f"Changed the look of the {task.look.element.name} in all its states"


def _use_own_sheet(task: _Task) -> str:
    selectors = [f":root {selector}" for selector in task.selectors()]
    block = task.main.write_rule(selectors, task.look.declarations)
    if task.main.is_page:
        close = re.compile(r"^[ \t]*</style>[ \t]*\n?", re.IGNORECASE | re.MULTILINE).search(
            task.main.text, task.main.end
        )
        at = close.end() if close else task.main.end
        task.main.edits.append((at, at, f"<style>\n{block}</style>\n"))
    else:
        folder = task.main.path.rpartition("/")[0]
        name = _find_free_name(task.workspace, folder, f"{task.look.element.name}-theme")
        task.workspace.create(f"{folder}/{name}" if folder else name, block)
        match = re.compile(r'@charset "[^"\n]*";[ \t]*\n?', re.IGNORECASE).match(task.main.text)
        at = match.end() if match else 0
        task.main.edits.append((at, at, f'@import url("{name}");\n'))
    return f"Put the look of the {task.look.element.name} into a stylesheet of its own"


def _keep_readable(task: _Task) -> str:
    _change_in_place(task)
    name, value = task.look.declarations[0]
    if name == "background-color":
        task.assign("color", contrast_of(value))
    selectors = [f"{selector}:focus-visible" for selector in task.selectors()]
    outline = [("outline", "2px solid currentColor"), ("outline-offset", "2px")]
    task.main.append(task.main.write_rule(selectors, outline))
    return (
        f"Changed the look of the {task.look.element.name}, with readable text and a visible focus"
    )


def _keep_consistent(task: _Task) -> str:
    _change_in_place(task)
    name, value = task.look.declarations[0]
    if name == "background-color":
        task.assign("border-color", value)
    else:
        task.assign("transition", f"{name} 150ms ease")
    return f"Changed the look of the {task.look.element.name} and what goes with it"


def _insist(task: _Task) -> str:
    declarations = [(name, f"{value} !important") for name, value in task.look.declarations]
    task.main.append(task.main.write_rule(task.selectors(), declarations))
    return f"Added a rule for the {task.look.element.name} that no later rule undoes"


def _explain(task: _Task) -> str:
    _change_in_place(task)
    sheet, rule = next(iter(task.targets()), (task.main, None))
    comment = f"/* Requested, {neutralise(task.intent)} */"
    if rule is None:
        sheet.edits.insert(0, (sheet.end, sheet.end, f"\n\n{sheet.base}{comment}"))
        appended = sheet.edits.pop()
        sheet.edits[0] = (sheet.end, sheet.end, f"{_join_gap(appended[2], sheet.base + comment)}")
    else:
        outer = sheet.text[: rule.start].rpartition("\n")[2]
        sheet.edits.append(
            (rule.start, rule.start, f"{comment}\n{outer if not outer.strip() else ''}")
        )
    return f"Changed the look of the {task.look.element.name} and said why in a comment"


def _allow_adjusting(task: _Task) -> str:
    for name, value in task.look.declarations:
        task.assign(name, f"var(--{task.look.element.name}-{_short_name(name)}, {value})")
    return f"Changed the look of the {task.look.element.name}, which a page may override"


_WAYS: Final[dict[str, Callable[[_Task], str]]] = {
    "smallest": _change_in_place,
    "idiomatic": _use_variable,
    "additive": _add_override,
    "thorough": _cover_states,
    "modular": _use_own_sheet,
    "accessible": _keep_readable,
    "consistent": _keep_consistent,
    "robust": _insist,
    "documented": _explain,
    "configurable": _allow_adjusting,
}


def _join_gap(block: str, comment: str) -> str:
    """Put a comment line before an appended block, behind the gap that leads it."""
    body = block.lstrip("\n")
    return block[: len(block) - len(body)] + comment + "\n" + body


def _find_sheets(workspace: Workspace, element: Element, file: str | None) -> list[_Sheet]:
    if file is not None:
        path = workspace.find_file(file)
        sheet = _open_sheet(workspace, path, create_block=True)
        return [sheet] if sheet else []
    own = workspace.list_own_files()
    paths = [path for path in own if path.lower().endswith((".css", ".scss", ".less"))]
    sheets = [
        sheet
        for path in paths[:MAX_LOOKED_AT]
        if workspace.is_small(path) and (sheet := _open_sheet(workspace, path, create_block=False))
    ]
    about = [
        sheet
        for sheet in sheets
        if any(_is_about(rule, element, plain=True) for rule in sheet.rules)
    ]
    pages = [path for path in own if path.lower().endswith((".html", ".htm"))]
    if sheets:
        loads = _count_loads(workspace, pages[:MAX_LOOKED_AT], sheets)
        return _prefer_loaded(about, loads)[:MAX_SHEETS] or _prefer_loaded(sheets, loads)[:1]
    for may_create in (False, True):
        for path in pages[:MAX_LOOKED_AT]:
            sheet = _open_sheet(workspace, path, create_block=may_create)
            if sheet:
                return [sheet]
    return []


def _count_loads(
    workspace: Workspace, pages: Sequence[str], sheets: Sequence[_Sheet]
) -> Mapping[str, int]:
    texts = {path: workspace.read_text(path) for path in pages if workspace.is_small(path)}
    html = {path: text for path, text in texts.items() if text is not None}
    return count_pages(html, {sheet.path: sheet.text for sheet in sheets})


def _prefer_loaded(sheets: Sequence[_Sheet], loads: Mapping[str, int]) -> list[_Sheet]:
    """Answer those that pages load, the most loaded first; all where no page loads any."""
    loaded = [sheet for sheet in sheets if loads[sheet.path]]
    return sorted(loaded, key=lambda sheet: -loads[sheet.path]) or list(sheets)


def _open_sheet(workspace: Workspace, path: str, *, create_block: bool) -> _Sheet | None:
    text = workspace.read_text(path)
    if text is None:
        return None
    suffix = path.lower().rpartition(".")[2]
    if suffix in {"css", "scss", "less"}:
        sheet = _Sheet(path, text, 0, len(text))
    elif suffix in {"html", "htm"}:
        block = _STYLE_BLOCK.search(text)
        if block is None:
            head = _HEAD_END.search(text) if create_block else None
            if head is None:
                return None
            indent = head[1]
            opened = f"{indent}<style>\n"
            text = text[: head.start()] + f"{opened}{indent}</style>\n" + text[head.start() :]
            at = head.start() + len(opened)
            return _Sheet(path, text, at, at, base=indent)
        sheet = _Sheet(path, text, block.start(1), block.end(1))
        first = re.match(r"[ \t]*", text[sheet.start :])
        sheet.base = first[0] if first else ""
    else:
        return None
    found = find_rules(text[sheet.start : sheet.end], has_line_comments=suffix in {"scss", "less"})
    sheet.rules = [_shift(rule, sheet.start) for rule in found]
    return sheet


def _shift(rule: Rule, by: int) -> Rule:
    if not by:
        return rule
    declarations = [
        Declaration(item.name, item.start + by, item.value_start + by, item.value_end + by)
        for item in rule.declarations
    ]
    return Rule(
        rule.prelude,
        rule.start + by,
        rule.body_start + by,
        rule.body_end + by,
        is_conditional=rule.is_conditional,
        declarations=declarations,
    )


def _is_about(rule: Rule, element: Element, *, plain: bool) -> bool:
    """Answer whether a rule is about the element: as it is, or else in one of its states."""
    for selector in rule.selectors:
        has_state = re.search(r":(?!:)(?!root)[\w-]+", selector) is not None or selector.startswith(
            "&"
        )
        if element.is_subject_of(selector) and "::" not in selector and has_state is not plain:
            return True
    return False


def _find_declaration(sheet: _Sheet, rule: Rule, name: str) -> Declaration | None:
    found = rule.find(name)
    if found is None and name == "background-color":
        found = rule.find("background")
        if found and not _SIMPLE_COLOUR.fullmatch(_plain_value(found.value_in(sheet.text))):
            return None
    return found


def _plain_value(value: str) -> str:
    return re.sub(r"\s*!important$", "", value, flags=re.IGNORECASE)


def _find_sigil(task: _Task) -> str:
    """Answer how this code base writes variables, as far as one sheet can tell."""
    if len(task.sheets) == 1:
        for suffix, sigil in ((".scss", "$"), (".less", "@")):
            pattern = rf"^{re.escape(sigil)}[\w-]+\s*:"
            if task.main.path.lower().endswith(suffix) and re.search(
                pattern, task.main.text, re.MULTILINE
            ):
                return sigil
    return "--"


def _short_name(name: str) -> str:
    return name.removesuffix("-color")


def _find_free_name(workspace: Workspace, folder: str, stem: str) -> str:
    prefix = f"{folder}/" if folder else ""
    names = (f"{stem}{number}.css" for number in ("", *range(2, 1000)))
    return next(name for name in names if not workspace.exists(prefix + name))
