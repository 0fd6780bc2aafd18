"""Small PDF files of text, boxes and lines, fast and the same bytes every time. Knows nothing of letters."""
