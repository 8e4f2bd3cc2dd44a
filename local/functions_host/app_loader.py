"""Load an app folder of the v2 model and index its functions, as the Python worker does.

It imports the app and checks its bindings; it runs nothing of it. An app that this host cannot run
whole is refused with the name of the function and the reason, never run in part.
"""

import functools
import importlib.util
import inspect
import json
import os
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from local.functions_host.console import format_stack
from local.functions_host.settings import resolve_placeholders

DURABLE_CLIENT_TYPES = ("durableClient", "orchestrationClient")
TRIGGER_TYPES = (
    "httpTrigger",
    "timerTrigger",
    "orchestrationTrigger",
    "activityTrigger",
    "entityTrigger",
)
_SUPPORTED_TYPES = frozenset({*TRIGGER_TYPES, *DURABLE_CLIENT_TYPES, "http"})


class AppError(RuntimeError):
    """The app cannot be loaded or run; the message names the function and the reason."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    name: str
    handle: Callable[..., Any]
    is_async: bool
    trigger: dict[str, Any]
    """The trigger's binding, %SETTINGS% resolved."""
    client_parameters: tuple[str, ...]
    """Parameters that take a durable client."""
    has_context: bool
    """The function declares a `context: func.Context` parameter."""
    directory: str

    @property
    def trigger_type(self) -> str:
        """Name of the trigger as in function.json."""
        return str(self.trigger["type"])

    @property
    def durable_name(self) -> str:
        """Name under which orchestrations call the function."""
        for key in ("orchestration", "activity", "entityName"):
            if self.trigger.get(key):
                return str(self.trigger[key])
        return self.name


@dataclass(frozen=True, slots=True)
class App:
    """All functions of an app by their trigger; durable names are found in any case."""

    directory: Path
    functions: tuple[Function, ...]
    orchestrators: dict[str, Function] = field(default_factory=dict)
    activities: dict[str, Function] = field(default_factory=dict)
    entities: dict[str, Function] = field(default_factory=dict)

    def by_trigger(self, trigger_type: str) -> list[Function]:
        """List the functions with one kind of trigger."""
        return [function for function in self.functions if function.trigger_type == trigger_type]


def load_app(directory: Path) -> App:
    """Import the app's script and index its functions.

    Raises:
        AppError: no script, no or several app objects, or a binding this host does not know.
    """
    module = _import_script(directory)
    registers = {
        id(value): value
        for value in vars(module).values()
        if isinstance(value, func.FunctionRegister)
    }
    if len(registers) != 1:
        raise AppError(
            f"{module.__file__} must define exactly one FunctionApp or DFApp at module level; "
            f"found {len(registers)}"
        )
    (register,) = registers.values()
    builders = _index_functions(register)
    functions = tuple(
        function
        for builder in builders
        if (function := _read_function(builder, directory)) is not None
    )
    app = App(directory, functions)
    for table, trigger_type in (
        (app.orchestrators, "orchestrationTrigger"),
        (app.activities, "activityTrigger"),
        (app.entities, "entityTrigger"),
    ):
        for function in app.by_trigger(trigger_type):
            key = function.durable_name.casefold()
            if key in table:
                raise AppError(f"two functions are registered as {function.durable_name!r}")
            table[key] = function
    return app


@functools.cache
def _index_functions(register: Any) -> tuple[Any, ...]:
    """Ask the app for its functions; a second call on one object would find duplicates."""
    try:
        return tuple(register.get_functions())
    except ValueError as error:
        raise AppError(f"the app's functions cannot be indexed: {error}") from error


def _import_script(directory: Path) -> ModuleType:
    script = directory / os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not script.is_file():
        raise AppError(f"{directory} is no Python v2 Functions app: it has no {script.name}")
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    loaded = sys.modules.get(script.stem)
    if loaded is not None and _get_file(loaded) == script.resolve():
        return loaded
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise AppError(f"{script} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[script.stem]
        raise AppError(f"{script} cannot be imported:\n{format_stack(error)}") from error
    return module


def _get_file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None


def _read_function(builder: Any, directory: Path) -> Function | None:
    name = str(builder.get_function_name())
    bindings = json.loads(builder.get_function_json())["bindings"]
    if os.environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("1", "true"):
        return None
    unknown = sorted({str(b["type"]) for b in bindings} - _SUPPORTED_TYPES)
    if unknown:
        raise AppError(
            f"function {name!r} uses {', '.join(unknown)}, which this host does not have; it has "
            f"{', '.join(sorted(_SUPPORTED_TYPES))}. Take the function out of the app, or disable "
            f"it with the setting AzureWebJobs.{name}.Disabled=true"
        )
    triggers = [b for b in bindings if b["type"] in TRIGGER_TYPES]
    if len(triggers) != 1:
        raise AppError(f"function {name!r} must have one trigger; it has {len(triggers)}")
    handle = builder.get_user_function()
    bound = {str(b["name"]) for b in bindings}
    _check_annotations(name, handle, bound)
    return Function(
        name=name,
        handle=handle,
        is_async=inspect.iscoroutinefunction(handle),
        trigger={
            key: resolve_placeholders(value, f"function {name!r}")
            if isinstance(value, str)
            else value
            for key, value in triggers[0].items()
        },
        client_parameters=tuple(b["name"] for b in bindings if b["type"] in DURABLE_CLIENT_TYPES),
        has_context="context" in inspect.signature(handle).parameters and "context" not in bound,
        directory=str(directory),
    )


def _check_annotations(name: str, handle: Any, bound: set[str]) -> None:
    """Refuse what the real worker refuses to load: `dict[str, Any]` on a binding, or a union.

    Raises:
        AppError: naming function and parameter.
    Source: azure-functions-runtime 1.3, `functions.py` ("invalid non-type annotation").
    """
    for parameter, annotation in typing.get_type_hints(handle).items():
        is_type = isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias)
        is_generic = typing.get_origin(annotation) not in (None, typing.Union, tuple) and (
            not isinstance(annotation, types.GenericAlias | types.UnionType)
        )
        if parameter in bound and not is_type and not is_generic:
            raise AppError(
                f"function {name!r}: binding {parameter} has the annotation {annotation!r}, which "
                "the Python worker of Azure refuses; write a plain class, or typing.Dict[…]"
            )


def describe_unknown(name: str, kind: str, table: dict[str, Function]) -> str:
    """Say that a function does not exist, in the extension's words."""
    known = "', '".join(function.durable_name for function in table.values())
    plural = "entities" if kind == "entity" else f"{kind} functions"
    article = "a" if kind[0] not in "aeiou" else "an"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not {article} {kind} function. "
        "Additional info: "
        + (
            f"The following are the known {plural}: '{known}'."
            if known
            else f"No {plural} are currently registered!"
        )
    )
