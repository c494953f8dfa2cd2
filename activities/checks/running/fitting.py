"""Which files a program can be given: a linter takes whatever it is given for its own language."""

import shlex
from pathlib import PurePosixPath

_PYTHON = (".py", ".pyi")
_SCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")

_ENDINGS = {
    **dict.fromkeys(
        ("mypy", "flake8", "pylint", "black", "isort", "autopep8", "pyupgrade", "bandit"), _PYTHON
    ),
    "ruff": (*_PYTHON, ".ipynb"),
    "pyright": _PYTHON,
    "eslint": _SCRIPT,
    "tsc": _SCRIPT,
    "biome": (*_SCRIPT, ".json", ".jsonc", ".css"),
    "gofmt": (".go",),
    "golangci-lint": (".go",),
    "rustfmt": (".rs",),
    "shellcheck": (".sh", ".bash"),
    "clang-format": (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp"),
}

_WORDS_LOOKED_AT = 6


def endings(command: str) -> tuple[str, ...]:
    """Return those of the first well-known program that the command names; none for any file."""
    try:
        words = shlex.split(command)[:_WORDS_LOOKED_AT]
    except ValueError:
        words = command.split()[:_WORDS_LOOKED_AT]
    names = (PurePosixPath(word).name for word in words)
    return next((_ENDINGS[name] for name in names if name in _ENDINGS), ())
