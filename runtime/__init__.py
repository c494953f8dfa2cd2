"""What every process needs to run: settings, logs, the Temporal connection and the store of bytes.

Nothing that knows a session's decisions or effects belongs here.
"""
