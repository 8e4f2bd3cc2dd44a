"""A refusal: its status, the service's name for it, and what it says. Each wire writes its own."""

from collections.abc import Mapping
from typing import Any


class RefusalError(Exception):
    """What the caller gets instead of an answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type_name: str = "",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type_name = type_name
        self.param = param
        self.headers = dict(headers or {})


def refuse(message: str, param: str | None = None, type_name: str = "") -> RefusalError:
    """Refuse a request that is not well put."""
    return RefusalError(400, message, type_name=type_name, param=param)


def expect(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """Answer the value, when it is of the kind that belongs there.

    Raises:
        RefusalError: it is not.
    """
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise refuse(f"{where}: Input should be valid", where)
    return value
