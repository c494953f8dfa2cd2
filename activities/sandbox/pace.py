"""How often a running command shows its output, by how many do so on this worker."""

SPEAKING_SECONDS = 1.0
"""A stream counts for this long after it was last shown."""

_INTERVALS = ((2, 0.05), (8, 0.1))
_CROWDED_SECONDS = 0.25


class Pace:
    """Shares out the heartbeats of one worker: each is a transaction of the server.

    Up to 2 speaking streams are shown every 0.05 s, up to 8 every 0.1 s, more every 0.25 s.
    """

    def __init__(self, least_seconds: float) -> None:
        """Take what the store asks to be left between two appends to a stream."""
        self._least_seconds = least_seconds
        self._shown: dict[str, float] = {}

    def interval(self, stream: str, now: float) -> float:
        """Take note that a stream is shown at a monotonic time; returns the seconds to the next.

        Streams go by their names in the store: ids of commands are unique within a session only.
        """
        self._shown[stream] = now
        self._shown = {name: at for name, at in self._shown.items() if at > now - SPEAKING_SECONDS}
        return max(self._least_seconds, _interval(len(self._shown)))


def _interval(speaking: int) -> float:
    for most, seconds in _INTERVALS:
        if speaking <= most:
            return seconds
    return _CROWDED_SECONDS
