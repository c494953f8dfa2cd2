"""Git on the host: how it is run, and what is done with it in one bare repository of ours."""
