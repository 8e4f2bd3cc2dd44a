"""The HTTP side: deliveries in, pages and probes out. Starts jobs, reads records, edits nothing.

One module for each kind of caller: `webhook` (service hooks), `health` (probes), `pages` (people).
"""
