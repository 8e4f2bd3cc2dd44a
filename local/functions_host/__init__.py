"""A Functions host for one machine: HTTP, timers and the Durable extension's side of the protocol."""
