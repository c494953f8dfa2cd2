"""mini-swe-agent on the scripted model: `python -m bench.mini URL TASK FOLDER [TRAJECTORY]`.

Its default agent, its local environment and its litellm model with the settings it ships in
`mini.yaml`; only the endpoint and, because the scripted model has no price, the cost tracking are
set.
"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run it once, to the end of the script."""
    url, task, folder, *trajectory = sys.argv[1:]
    os.environ.update(
        MSWEA_SILENT_STARTUP="1",
        MSWEA_GLOBAL_CONFIG_DIR=folder,
        # Or litellm fetches its prices from the network while it is imported.
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    )
    from minisweagent.agents.default import AgentConfig, DefaultAgent  # noqa: PLC0415
    from minisweagent.config import get_config_from_spec  # noqa: PLC0415
    from minisweagent.environments.local import LocalEnvironment  # noqa: PLC0415
    from minisweagent.models.litellm_model import LitellmModel  # noqa: PLC0415

    shipped = get_config_from_spec("mini.yaml")
    model = shipped["model"] | {"model_name": "openai/scripted", "cost_tracking": "ignore_errors"}
    model["model_kwargs"] = shipped["model"].get("model_kwargs", {}) | {
        "api_base": url,
        "api_key": "none",
    }
    agent = {
        key: shipped["agent"][key] for key in AgentConfig.model_fields if key in shipped["agent"]
    }
    agent |= {"cost_limit": 0.0, "output_path": Path(trajectory[0]) if trajectory else None}
    DefaultAgent(
        LitellmModel(**model), LocalEnvironment(cwd=folder, **shipped["environment"]), **agent
    ).run(task)


if __name__ == "__main__":
    main()
