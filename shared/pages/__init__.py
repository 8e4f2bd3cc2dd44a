"""The pages people open: jobs and their variants, as HTML for browsers and JSON for scripts.

Entry points: `plain` (the JSON shapes, a contract for scripts) and `render` (HTML from the same
shapes). Reads nothing and asks nobody: it is given rows.
"""
