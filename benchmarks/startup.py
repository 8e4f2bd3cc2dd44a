"""What the app adds to a cold start: importing `function_app` against the two Functions SDKs alone.

Pairs of fresh processes in turn, so that both see the same machine; the ratio is of user and system
time. Both find their bytecode: compiling is done once, before. The bound is 1.3.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SDKS: Final = "import azure.functions, azure.durable_functions"
APP: Final = "import function_app"
BOUND: Final = 1.3


def measure_import(code: str) -> float:
    """Answer the CPU seconds of a fresh process that runs `code`."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure and print; 1 when the bound is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="pairs of processes (9)")
    runs = parser.parse_args().runs
    bare = measure_import("pass")
    measure_import(APP)
    pairs = [(measure_import(APP), measure_import(SDKS)) for _ in range(runs)]
    ratio = statistics.median(app / sdks for app, sdks in pairs)
    above = statistics.median((app - bare) / (sdks - bare) for app, sdks in pairs)
    print(f"import of function_app   {statistics.median(app for app, _ in pairs):.3f} s CPU")
    print(f"import of the two SDKs   {statistics.median(sdks for _, sdks in pairs):.3f} s CPU")
    print(f"ratio                    {ratio:.2f} (bound {BOUND})")
    print(f"the same, beyond python  {above:.2f}")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
