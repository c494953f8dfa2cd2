import subprocess
import sys

import pytest

LIGHT = [
    "workflows.contract.model",
    "workflows.contract.tools",
    "workflows.ports",
    "runtime.transcript",
    "activities.sandbox",
    "activities.worker",
]


@pytest.mark.parametrize("module", LIGHT)
def test_litellm_stays_out_of_other_processes(module: str):
    """Its seconds and its 175 MB are paid by the model worker alone."""
    code = f"import sys, {module}; print({{'litellm', 'openai'}} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
