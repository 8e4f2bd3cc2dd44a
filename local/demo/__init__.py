"""The whole thing on one machine: an Azure DevOps, the app on its host, a person who comments.

Uses the app as the world does, by HTTP and git alone. Entry points: `command` (`make demo`), `up`
(`make up`); `world` starts and stops the processes, `person` is who comments and looks.
"""
