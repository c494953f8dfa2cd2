"""What `up` and `down` do: the local stack, run here and ended."""

from cli import reaching
from cli.stack import hosting, up
from cli.stack.folder import StackRecord
from cli.terminal import Output, result, say, table
from runtime import logs


def start(output: Output) -> None:
    """Run the local stack until it is stopped."""
    logs.configure("up")

    def ready(record: StackRecord, seconds: float) -> None:
        if output is Output.TABLE:
            result(_stack(record))
            say(f"ready in {seconds:.1f} s; stop it with Ctrl-C or: overnight down")
            reaching.warn_of_host(found)
        else:
            result(record.model_dump_json() if output is Output.JSON else str(record.pid))

    found = reaching.settings()
    hosting.run_stack(found, ready)


def end() -> None:
    """Stop the local stack."""
    pid = up.stop_stack(reaching.settings())
    say("no stack runs" if pid is None else f"stopped (pid {pid}); sessions go on at the next up")


def _stack(record: StackRecord) -> str:
    addresses = {"gateway": record.gateway_url, "temporal": record.temporal_address}
    rows = [
        (name, str(pid), addresses.get(name, "")) for name, pid in sorted(record.processes.items())
    ]
    return table(("PROCESS", "PID", "ADDRESS"), rows)
