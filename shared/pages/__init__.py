"""The pages people open: jobs and their variants, as HTML for browsers and JSON for scripts."""
