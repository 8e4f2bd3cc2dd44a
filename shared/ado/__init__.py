"""Azure DevOps over REST: pull requests, threads, pushes, statuses, snapshots. JSON stays in `wire`."""
