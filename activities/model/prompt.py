"""The system prompt: the template in `prompts/` with a session's facts filled in."""

from functools import cache
from pathlib import Path
from string import Template

from workflows.contract.model import WorkingFacts

NO_CHECKS = "- (none were found: verify with whatever the repository offers)"


def system_prompt(facts: WorkingFacts) -> str:
    """Fill in the facts; equal facts give equal bytes, which providers' caches depend on."""
    checks = "\n".join(f"- `{command}`" for command in facts.checks) or NO_CHECKS
    return _template().substitute(
        repository=facts.repository, base=facts.base, workspace=facts.workspace, checks=checks
    )


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("prompts").joinpath("system.md").read_text("utf-8"))
