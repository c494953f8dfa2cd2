"""Git folders written by hand: a mirror's, and the one a sandbox starts from.

No git program takes part, so no template, hook or configuration of the host gets in.
"""

import secrets
import shutil
from pathlib import Path

_EXCLUDED = """\
__pycache__/
*.pyc
.pytest_cache/
.mypy_cache/
.ruff_cache/
.tox/
.nox/
.venv/
node_modules/
.coverage
*.egg-info/
"""
_MIRROR_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
"""
_SEED_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[user]
\tname = overnight
\temail = overnight@localhost
"""


def write_mirror(folder: Path) -> None:
    """Make an empty bare repository; who comes second keeps what the first one made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    pending = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    _write(pending, "refs/heads/none", _MIRROR_CONFIG)
    try:
        pending.rename(folder)
    except OSError:
        shutil.rmtree(pending)
        if not folder.is_dir():
            raise


def write_seed(folder: Path, branch: str, commit: str, *, shallow: str) -> None:
    """Make a git folder without objects whose HEAD is `branch` at `commit`."""
    _write(folder, f"refs/heads/{branch}", _SEED_CONFIG)
    (folder / "info").mkdir()
    (folder / "info/exclude").write_text(_EXCLUDED)
    head = folder / "refs/heads" / branch
    head.parent.mkdir(parents=True, exist_ok=True)
    head.write_text(f"{commit}\n")
    if shallow:
        (folder / "shallow").write_text(shallow)


def _write(folder: Path, head: str, config: str) -> None:
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text(f"ref: {head}\n")
    (folder / "config").write_text(config)
