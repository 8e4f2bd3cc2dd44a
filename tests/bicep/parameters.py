"""Writes the tables of bicep/README.md: `python -m tests.bicep.parameters`."""

import re
from typing import Final

from tests.bicep.templates import FOLDER, MAIN, Declaration, list_properties, read_template, text_of

README: Final = FOLDER / "README.md"
_BETWEEN: Final = re.compile(r"(<!-- parameters -->\n).*(<!-- /parameters -->)", re.DOTALL)


def render() -> str:
    """Render the tables from main.bicep and the types that it takes."""
    template = read_template(MAIN)
    lines = ["| parameter | type | default | meaning |", "|---|---|---|---|"]
    lines += [_render_row(each) for each in template.parameters.values()]
    types = read_template(FOLDER / "modules" / "types.bicep").declarations
    for name, source in types.items():
        if source.value is None or source.value.type != "object" or name == "roleIds":
            continue
        if not any(_names(each, name) for each in template.parameters.values()):
            continue
        lines += [
            "",
            f"`{name}`: {source.description}",
            "",
            "| property | type | meaning |",
            "|---|---|---|",
        ]
        lines += _render_properties(source)
    lines += ["", "| output | meaning |", "|---|---|"]
    lines += [
        f"| `{each.name}` | {_clean(each.description)} |" for each in template.outputs.values()
    ]
    return "\n".join(lines) + "\n"


def _names(parameter: Declaration, name: str) -> bool:
    return parameter.type is not None and text_of(parameter.type).removesuffix("[]") == name


def _render_row(parameter: Declaration) -> str:
    allowed = parameter.decorators.get("allowed")
    kind = text_of(parameter.type) if parameter.type is not None else ""
    if allowed is not None:
        kind = ", ".join(f"`{text_of(each)}`" for each in allowed.named_children)
    default = "needed"
    if parameter.value is not None:
        value = re.sub(r"\s+", " ", text_of(parameter.value))
        default = "see the file" if len(value) > 60 else f"`{value or chr(39) * 2}`"
    return f"| `{parameter.name}` | {kind} | {default} | {_clean(parameter.description)} |"


def _render_properties(source: Declaration) -> list[str]:
    """Rows of a type; the description of a property is the decorator before it."""
    rows: list[str] = []
    if source.value is None:
        return rows
    texts = re.findall(r"@description\('((?:[^'\\]|\\.)*)'\)", text_of(source.value))
    for (key, kind), told in zip(list_properties(source.value), texts, strict=True):
        shown = _clean(text_of(kind).replace("'", ""))
        rows.append(f"| `{text_of(key)}` | {shown} | {_clean(told)} |")
    return rows


def _clean(text: str) -> str:
    return text.replace("\\'", "'").replace("|", "\\|")


def insert(text: str) -> str:
    """Put the tables where the README wants them."""
    return _BETWEEN.sub(lambda found: found[1] + render() + found[2], text)


if __name__ == "__main__":
    README.write_text(insert(README.read_text()))
