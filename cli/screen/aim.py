"""Which question a line is meant for that a person types while questions come and go."""

from workflows.contract.asking import Asked


class Aim:
    """Binds a line to the question that was on the screen when its typing began.

    One thread shows questions, another types.
    """

    def __init__(self) -> None:
        self._shown: Asked | None = None
        self._meant: Asked | None = None

    def show(self, asked: Asked | None) -> None:
        """Take note of the open question that can be read now; none when nothing is asked."""
        self._shown = asked

    def begin(self) -> None:
        """Take note that a line begins."""
        self._meant = self._shown

    def take(self) -> Asked | None:
        """Return what the finished line is meant for; none when it is no answer."""
        meant, self._meant = self._meant, None
        return meant
