"""Pages about runs: one self-contained HTML file each, drawn from a JSON document, light and dark."""
