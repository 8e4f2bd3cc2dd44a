"""Stands in for Application Insights: an ingestion endpoint, and its tables to be queried in Kusto.

It takes what the real exporters send, refuses what the real service refuses, and keeps the rest as
rows of the tables that the service has. It never forwards anything. Entry points: `server`,
`running` for tests, `command` and `kql` for the command line.
"""
