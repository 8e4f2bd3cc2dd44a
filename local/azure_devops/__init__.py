"""An Azure DevOps Services organisation on one machine, over real git repositories."""
