"""The page that finance opens each morning and at month end: figures of the marts → one self-contained file.

Its parts are pure; ``reading`` takes the figures out of a database, ``shelf`` puts pages beside each other. Drawing
takes a second to import, so ``page`` is imported where a page is made.
"""
