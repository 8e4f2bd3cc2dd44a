"""Where credentials come from. Never logs, caches beyond its lifetime, or returns one in an error."""
