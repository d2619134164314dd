"""One verb per file: observe, decide, record the intent, act, record the outcome."""
