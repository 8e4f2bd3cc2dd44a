"""Azure DevOps over REST: pull requests, threads, pushes, snapshots. JSON stays in `wire`."""
