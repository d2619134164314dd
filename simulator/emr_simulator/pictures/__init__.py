"""The pictures of the documents, drawn by ``make figures``: standalone SVG, the same bytes each time."""
