"""What all activities of one process share."""

import asyncio
from threading import Barrier

from activities import worker

SLOW = 64


def test_slow_calls_of_some_sessions_hold_up_no_other() -> None:
    """As many fetches as nobody has processors for hang, and another session's file is read."""

    async def main() -> str:
        worker.make_room(asyncio.get_running_loop())
        hanging = Barrier(SLOW + 1)
        slow = [asyncio.create_task(asyncio.to_thread(hanging.wait)) for _ in range(SLOW)]
        read = await asyncio.to_thread(lambda: "read")
        await asyncio.to_thread(hanging.wait)
        await asyncio.gather(*slow)
        return read

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        assert runner.run(main()) == "read"
