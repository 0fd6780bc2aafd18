"""Bank statements and remittances: one reader per format, bytes to the rows of ``model.py`` or a refusal."""
