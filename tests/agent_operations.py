"""What the agent may do at Azure DevOps, by the names that the stand-in gives its operations."""

AGENT_OPERATIONS = frozenset(
    {
        "get connection data",
        "get pull request",
        "list pull requests",
        "create pull request",
        "get thread",
        "list threads",
        "create comment",
        "update comment",
        "update thread",
        "create status",
        "list statuses",
        "get items",
        "get diffs",
        "get file diffs",
        "get commit",
        "list refs",
        "create push",
        "get descriptor",
        "list memberships",
        "look up subjects",
        "list subscriptions",
    }
)
"""No operation that updates a pull request (complete, abandon, un-draft, vote) or a ref (force)."""
