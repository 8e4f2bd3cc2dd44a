"""What the rotations have in common: steps that are told, waiting, and the two ways to stop."""

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


class RefusedError(Exception):
    """Something is not as it has to be; nothing was changed."""


class StoppedError(Exception):
    """A step failed; what is done stays good, and the same command goes on from there."""


@dataclass(slots=True)
class Steps:
    """Tells people what happens, and keeps it for scripts. Never given a secret."""

    secret: str
    """Its name."""
    is_dry: bool
    done: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, step: str, text: str, **facts: Any) -> None:
        """Tell of a step, on the error output; its facts are for `--json`."""
        self.done.append({"step": step, **facts})
        mark = "would be" if self.is_dry and facts.get("planned") else step
        sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {mark:>9}  {text}\n")
        sys.stderr.flush()

    def wait_until(self, moment: float, why: str) -> None:
        """Wait until a time of day (seconds since 1970), if it is not over."""
        left_s = moment - time.time()
        if left_s > 0:
            self.tell("wait", f"{left_s:.0f} s {why}", seconds=round(left_s))
            time.sleep(left_s)

    def write_json(self, outcome: str, message: str = "") -> None:
        """Print one object for scripts."""
        told = {"secret": self.secret, "outcome": outcome, "message": message, "steps": self.done}
        sys.stdout.write(json.dumps(told) + "\n")
