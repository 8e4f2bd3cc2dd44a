"""The words people read in a pull request: templates in English and German, and the hidden marker."""
