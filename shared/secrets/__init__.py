"""Where credentials come from. Never logs one, and never returns one in an error."""
