"""`overnight doctor`: looks at machine, data folder, settings, model and stack, row by row."""
