"""The deterministic part: what happens in which order. No I/O, no clock, no settings."""
