"""What is allowed, what is clear and what is safe to show. Pure.

Entry points: `permission` (who, where), `admission` (which pull requests and comments), `vagueness`
(which requests must be asked about), `answer` (what came back), `markdown` (text from outside,
neutralised). Never asks anybody: what it needs is given to it.
"""
