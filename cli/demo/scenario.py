"""What the demo asks for, and what the scripted model answers when there is no real one."""

from cli.demo.script import Json

TASK = "The quote for bulky parcels is too low; two tests fail. Find out why and fix it."

READING_SECONDS = 0.4
"""The scripted model answers after so long, so that a person can read along."""

SUMMARY = """Round volumetric weight up to the next half kilogram

`volumetric_weight_g` cut the volume down to whole steps of 2,500 cm3, while its docstring, the \
tests and `scale_weight_g` charge every started step. A bulky parcel just above a step was quoted \
in a band that is too low. It is now rounded up as the scales are.

Verified with `python -m pytest`: all 19 tests pass, of which two failed before.
"""


def script() -> dict[str, list[Json]]:
    """Return the script of a session on `TASK`, in the form `scripted_model` reads."""
    return {
        TASK: [
            _reply("I look around and run the tests.", "bash", command="ls . parcels tests"),
            _reply("", "bash", command="python -m pytest -q"),
            _reply("Both are about the weight of a volume.", "view", path="parcels/weight.py"),
            _reply(
                "The volume is cut down to whole steps; every started step should count.",
                "edit",
                path="parcels/weight.py",
                old_str="parcel.volume_cm3 // STEP_CM3 * STEP_G",
                new_str="math.ceil(parcel.volume_cm3 / STEP_CM3) * STEP_G",
            ),
            _reply("", "bash", command="python -m pytest -q"),
            _reply("", "finish", summary=SUMMARY),
        ]
    }


def _reply(text: str, tool: str, **arguments: str) -> Json:
    return {
        "text": text,
        "calls": [{"name": tool, "arguments": arguments}],
        "delay_s": READING_SECONDS,
    }
