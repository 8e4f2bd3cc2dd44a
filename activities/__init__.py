"""One file per activity, named for its verb: decode the input, call a body in `shared.jobs`, encode the result."""
