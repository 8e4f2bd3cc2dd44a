"""What happens by the clock and not by a delivery. Shells: the bodies are imported when due."""

from shared.composition import compose


def watch_secrets() -> None:
    """Tell of secrets that expire soon."""
    from shared.jobs.watch_secrets import watch_secrets as watch

    watch(compose())


def apply_retention() -> None:
    """Delete the records whose time is over."""
    from shared.jobs import retention

    retention.apply_retention(compose())
