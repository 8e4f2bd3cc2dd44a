"""Outlines a file: the lines of its signatures, by tree-sitter. Bodies are never walked.

Source: https://tree-sitter.github.io/tree-sitter/using-parsers
"""

from typing import TYPE_CHECKING, Final

from shared.grammars import load_language, read_suffix

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SIGNATURE_LINES: Final = 4
MAX_NODES: Final = 20_000
"""An outline ends here, however long the file."""

_SIGNATURE_TYPES: Final = """
abstract_class_declaration abstract_method_signature annotation_type_declaration class
class_declaration class_definition class_specifier constructor_declaration delegate_declaration
enum_declaration enum_item enum_specifier event_declaration file_scoped_namespace_declaration
function_declaration function_definition function_item function_signature
generator_function_declaration impl_item indexer_declaration interface_declaration internal_module
lexical_declaration macro_definition method method_declaration method_definition method_signature
mod_item module namespace_declaration namespace_definition operator_declaration
property_declaration record_declaration rule_set singleton_method struct_declaration struct_item
struct_specifier trait_declaration trait_item type_alias_declaration type_declaration
type_definition type_item
"""
_SIGNATURES: Final = frozenset(_SIGNATURE_TYPES.split())
_CONTAINER_TYPES: Final = """
abstract_class_declaration ambient_declaration annotation_type_declaration block body_statement
class class_body class_declaration class_definition class_specifier compilation_unit
declaration_list decorated_definition enum_declaration export_statement expression_statement
field_declaration_list file_scoped_namespace_declaration impl_item interface_body
interface_declaration internal_module linkage_specification media_statement mod_item module
namespace_declaration namespace_definition preproc_if preproc_ifdef program record_declaration
source_file statement_block struct_declaration stylesheet template_declaration trait_declaration
trait_item translation_unit
"""
_CONTAINERS: Final = frozenset(_CONTAINER_TYPES.split())


def find_signatures(path: str, text: str) -> list[int]:
    """List the lines of a file's signatures, 0-based and ascending; none without a grammar."""
    language = load_language(read_suffix(path))
    if language is None:
        return []
    from tree_sitter import Parser

    root = Parser(language).parse(text.encode("utf-8", "replace")).root_node
    lines: set[int] = set()
    nodes = [root]
    for _ in range(MAX_NODES):
        if not nodes:
            break
        node = nodes.pop()
        if node.type in _SIGNATURES and node is not root:
            lines.update(_cover_signature(node))
        if node.type in _CONTAINERS:
            nodes.extend(reversed(node.named_children))
    return sorted(lines)


def _cover_signature(node: "Node") -> range:
    first = node.start_point.row
    body = node.child_by_field_name("body")
    last = first if body is None else body.start_point.row
    if body is not None and body.type in ("block", "body_statement") and last > first:
        last = body.start_point.row - 1  # a body that begins on its own line, as in Python
    return range(first, min(max(first, last), first + MAX_SIGNATURE_LINES - 1) + 1)
