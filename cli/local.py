"""What `up` and `down` do: the local stack, run here and ended."""

from cli import reaching
from cli.stack import hosting, up
from cli.stack.folder import StackRecord
from cli.terminal import Output, result, say, table
from runtime import logs
from runtime.settings import Settings


def start(output: Output, metrics_port: int | None) -> None:
    """Run the local stack until it is stopped; its metrics are served from a port on, if given."""
    logs.configure("up")

    def ready(record: StackRecord, seconds: float) -> None:
        _tell(record, output, f"ready in {seconds:.1f} s; stop it with Ctrl-C or: overnight down")

    hosting.run_stack(_settings(metrics_port), ready)


def start_in_background(output: Output, metrics_port: int | None) -> None:
    """Return once the local stack runs by itself; one that runs already is left as it is."""
    record, started = up.ensure_running(_settings(metrics_port))
    _tell(
        record, output, f"{'ready' if started else 'it ran already'}; stop it with: overnight down"
    )


def end() -> None:
    """Stop the local stack, and tell of the sandboxes that stay."""
    settings = reaching.settings()
    pid = up.stop_stack(settings)
    say("no stack runs" if pid is None else f"stopped (pid {pid}); sessions go on at the next up")
    count = sum(1 for _ in (settings.sandboxes_path / "boxes").glob("*"))
    if count:
        one = "1 sandbox of an open session stays"
        stay = one if count == 1 else f"{count} sandboxes of open sessions stay"
        cure = "overnight up --detach, then overnight stop SESSION --close"
        say(f"{stay}, with what runs there; to end a session with its sandbox: {cure}")


def _settings(metrics_port: int | None) -> Settings:
    found = reaching.settings()
    if metrics_port is None:
        return found
    return found.model_copy(update={"metrics_address": f"127.0.0.1:{metrics_port}"})


def _tell(record: StackRecord, output: Output, how: str) -> None:
    if output is not Output.TABLE:
        result(record.model_dump_json() if output is Output.JSON else str(record.pid))
        return
    result(_stack(record))
    say(f"page: {record.gateway_url}/ (sign in with: overnight open)")
    if record.metrics:
        say(f"metrics: {_metrics(record)}")
    say(how)
    reaching.warn_of_host(reaching.settings())


def _stack(record: StackRecord) -> str:
    addresses = {"gateway": record.gateway_url, "temporal": record.temporal_address}
    rows = [
        (name, str(pid), addresses.get(name, "")) for name, pid in sorted(record.processes.items())
    ]
    return table(("PROCESS", "PID", "ADDRESS"), rows)


def _metrics(record: StackRecord) -> str:
    places = (f"http://{address}/metrics ({name})" for name, address in record.metrics.items())
    return ", ".join(places)
