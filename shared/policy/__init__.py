"""What is allowed and what is safe to show: who may ask for what, and text made harmless. Pure.

Entry points: `permission` (who, where), `admission` (which pull requests and comments), `markdown`
(text from outside, neutralised). Never asks anybody: what it needs is given to it.
"""
