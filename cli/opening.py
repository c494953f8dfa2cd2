"""What `open` does: the gateway's page, in a browser that is signed in by a link."""

import sys
import webbrowser

from cli import reaching
from cli.reaching import Reach
from cli.stack.environment import person_environment
from cli.terminal import result, say

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
"""Variables of which one is set where a browser can show something."""


def open_page(reach: Reach, session: str | None, *, only_print: bool) -> None:
    """Print the link to the page, or to a session on it, and open it where a person can see it."""
    gateway = reaching.connect(reach)
    path = "/" if session is None else f"/s/{gateway.find(session)}"
    link, seconds = gateway.sign_in_link(path)
    result(link)
    say(f"the link signs one browser in, once, within {seconds} seconds")
    if only_print or not (sys.stdout.isatty() and _has_display()):
        return
    if not webbrowser.open(link):
        say("no browser could be started here: open the link in one")


def _has_display() -> bool:
    environment = person_environment()
    return any(environment.get(name) for name in DISPLAYS)
