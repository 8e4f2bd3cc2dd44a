"""The words people read in a pull request: templates in English and German, and the hidden marker.

`render` is the way in; `view` holds what the templates are given. Everything from outside
(requests, notes, titles) is neutralised by the templates' filters. Sends nothing.
"""
