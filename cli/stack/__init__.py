"""The local stack: a supervisor and its processes, in one data folder, under one lock."""
