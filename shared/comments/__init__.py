"""The words people read in a pull request: templates, English and German, and the marker."""
