"""What happens by the clock and not by a delivery. Shells: the bodies are imported when due."""

from shared.composition import compose
from shared.telemetry.exporting import flush


def beat() -> None:
    """Say that the app runs, and what waits."""
    from shared.jobs import heartbeat

    heartbeat.beat(compose())
    flush(metrics=True)


def run_canary() -> None:
    """Have one command carried out from end to end, where the settings say so."""
    from shared.jobs.run_canary import run_canary as run

    run(compose())
    flush(metrics=True)


def watch_hooks() -> None:
    """Tell how Azure DevOps sees the service hooks."""
    from shared.jobs.watch_hooks import watch_hooks as watch

    watch(compose())
    flush()


def watch_secrets() -> None:
    """Tell of secrets that expire soon."""
    from shared.jobs.watch_secrets import watch_secrets as watch

    watch(compose())
    flush()


def apply_retention() -> None:
    """Delete the records whose time is over."""
    from shared.jobs import retention

    retention.apply_retention(compose())
    flush(metrics=True)
