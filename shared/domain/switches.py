"""What operators may turn while the app runs: whether it works, how much at once, whom it asks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

MAX_BRAKE: Final = 1000
"""As many jobs at once as the settings may allow."""
MAX_NOTE: Final = 300
"""Characters of a note: it is shown in comments and on pages."""

_Thing = TypeVar("_Thing")


class SwitchName(StrEnum):
    """What can be turned."""

    MODE = "mode"
    BRAKE = "brake"
    PROVIDERS = "providers"


class Mode(StrEnum):
    """Whether the app works."""

    RUNNING = "running"
    PAUSED = "paused"
    """No job is started, and whoever asks is told so; jobs that run go on."""
    READ_ONLY = "read-only"
    """Nothing is written to Azure DevOps; jobs and commands wait."""


@dataclass(frozen=True, slots=True)
class SetSwitch:
    """One switch that is not where it is by itself."""

    name: SwitchName
    value: Any
    """A `Mode` that is not running, a number of jobs, or a list of providers; plain JSON."""
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Switches:
    """How all switches stand. The defaults are the app as its settings describe it."""

    mode: Mode = Mode.RUNNING
    brake: int | None = None
    """Jobs at once, where that is less than the settings say."""
    providers: tuple[str, ...] = ()
    """Whom to ask, in this order; empty: as the settings say."""
    note: str = ""
    """What the operators say of the mode, in their own words."""

    @classmethod
    def of_set(cls, switches: Iterable[SetSwitch]) -> Self:
        """Read how the switches stand from those that are set."""
        by_name = {one.name: one for one in switches}
        mode, brake = by_name.get(SwitchName.MODE), by_name.get(SwitchName.BRAKE)
        providers = by_name.get(SwitchName.PROVIDERS)
        return cls(
            mode=Mode(mode.value) if mode else Mode.RUNNING,
            brake=int(brake.value) if brake else None,
            providers=tuple(providers.value) if providers else (),
            note=mode.note if mode else "",
        )

    def to_plain(self) -> dict[SwitchName, str]:
        """Write each switch as one word or list, for events and operators."""
        return {
            SwitchName.MODE: str(self.mode),
            SwitchName.BRAKE: "off" if self.brake is None else str(self.brake),
            SwitchName.PROVIDERS: ",".join(self.providers) or "default",
        }

    def limit_jobs(self, most: int) -> int:
        """Answer how many jobs may run at once, where the settings allow `most`."""
        return most if self.brake is None else min(most, self.brake)

    def order(self, things: Sequence[_Thing], provider: Callable[[_Thing], str]) -> list[_Thing]:
        """Order what belongs to providers as the switch says, without those that it leaves out.

        All of them stay where it names none: the settings have changed behind it.
        """
        chosen = [one for name in self.providers for one in things if provider(one) == name]
        return chosen or list(things)
