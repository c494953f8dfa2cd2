"""Which files the programs read that checks' commands start; pure, and rather once too often.

A command is not understood as a shell would: all words in it count, wherever they stand, so that
no prefix (`env`, `cd x &&`, `sh -c`, `uv run`) and no path in front of a program hides its name.
"""

import posixpath
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from activities.checks.examining.patterns import Patterns

_GRADLE = (
    "*.gradle *.gradle.kts gradle.properties gradle/wrapper/* buildsrc/* build-logic/* detekt*.yml"
)
_NODE = (
    ".npmrc .yarnrc* .yarn/* .pnp.* .pnpmfile.* pnpm-workspace.y*ml bunfig.toml deno.json*"
    " vite.config.* next.config.* babel.config.* .babelrc* .swcrc turbo.json nx.json project.json"
    " lerna.json rush.json angular.json gulpfile.* gruntfile.*"
)
_DOTNET = (
    "*.csproj *.fsproj *.vbproj *.sln *.slnx *.props *.targets *.runsettings *.ruleset"
    " .globalconfig global.json nuget.config"
)
_FILES = {
    "make gmake bmake nmake remake": "makefile* gnumakefile* bsdmakefile* *.mk *.mak",
    "just": "justfile .justfile *.just",
    "task go-task": "taskfile*.y*ml",
    "rake bundle rails rspec": "rakefile *.rake .rspec-local .bundle/*",
    "cmake ctest": "cmakelists.txt *.cmake cmake*presets.json",
    "meson ninja": "meson.build meson.options meson_options.txt",
    "scons": "sconstruct sconscript",
    "gradle gradlew": _GRADLE,
    "mvn mvnw mvnd": "pom.xml .mvn/*",
    "ant": "build.xml",
    "sbt": "*.sbt project/*.scala project/build.properties",
    "mill": "build.sc build.mill*",
    "lein clj clojure bb": "project.clj deps.edn bb.edn",
    "go gotestsum": "go.work",
    "dotnet msbuild": _DOTNET,
    "swift xcodebuild": "package.swift package@swift-*.swift *.xctestplan *.xcscheme *.pbxproj",
    "mix": "mix.exs config/*.exs",
    "rebar": "rebar.config*",
    "cabal stack": "*.cabal cabal.project* stack.yaml package.yaml",
    "dune opam": "dune dune-project dune-workspace",
    "zig": "build.zig",
    "flutter dart melos": "dart_test.yaml melos.yaml",
    "npm npx pnpm pnpx yarn yarnpkg bun bunx deno node corepack tsx": _NODE,
    "vitest jest mocha ava jasmine karma wtr playwright cypress ng vite next gulp grunt": _NODE,
    "react-scripts craco vue-cli-service turbo nx lerna rush moon": _NODE,
    "doit": "dodo.py",
    "mise rtx": "mise*.toml .mise*.toml .mise/*",
    "devbox": "devbox.json",
    "earthly": "earthfile",
}
"""By programs, patterns as `Patterns` reads them."""

_ONLY_IF_NAMED = {
    "invoke inv": "tasks.py invoke.y*ml",
    "fab": "fabfile.py",
    "docker podman docker-compose": "dockerfile* *.dockerfile docker-compose*.y*ml compose*.y*ml",
    "bazel bazelisk buck pants": "build buck workspace *.bazel .bazelrc *.bzl pants*.toml",
    "go gotestsum": "vendor/*",
    "composer php phpunit": "vendor/*",
    "nix nix-shell nix-build": "flake.nix default.nix shell.nix",
}
"""Names that other files have too: they count for the program itself only."""


def _by_program(*tables: Mapping[str, str]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for programs, patterns in (item for table in tables for item in table.items()):
        for program in programs.split():
            found[program].update(patterns.split())
    return dict(found)


_READ_BY = _by_program(_FILES, _ONLY_IF_NAMED)
_EVERYTHING = frozenset(pattern for patterns in _FILES.values() for pattern in patterns.split())
_RUNNERS = frozenset(
    {"make", "gmake", "bmake", "just", "task", "go-task", "invoke", "inv", "fab", "rake", "doit"}
    | {"tox", "nox", "poe", "taskipy", "mise", "pre-commit", "prek", "lefthook", "earthly"}
)
"""They start whatever their files say, so any program may be behind them."""

_FOLDERS = r"(?:ci|bin|dev|hack|scripts?|tools?)/"
_SCRIPT = re.compile(
    rf"""
    \.(?:sh|bash|zsh|ksh|fish)(?![\w.])
    | \b(?:sh|bash|dash|zsh|ksh)\s+(?!-)
    | \b(?:python[\d.]*|node|ruby|perl)\s+(?:-\w+\s+)*(?:\.{{1,2}}/)*{_FOLDERS}
    | (?:^|[;&|(`"']\s*|\b(?:env|exec|time|run|then|do)\s)(?:\w+=\S*\s+)*
      (?:(?:\.{{1,2}}/)+(?!gradlew|mvnw|manage\.py|node_modules/|vendor/|\.?venv/)|{_FOLDERS})
    """,
    re.VERBOSE,
)
"""A script is started, which may start any program too."""

_PIECE = re.compile(r"[\w.+/~-]+")
_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\})/")
_ENDING = re.compile(r"[-\d.]+$|\.(?:exe|cmd|bat)$")
_UPWARDS = re.compile(r"^(?:\.{1,2}/|/|~/)+")
_GLUED = re.compile(r"^-[A-Za-z](?=[\w.])")
_PYTHON = re.compile(r"(?:.*/)?python[\d.]*")
_SCRIPTED = re.compile(r"(?:.*/)?(?:node|tsx|ts-node|bun|deno)|-r|-?-require|-?-import")
_SCRIPT_ENDINGS = tuple(
    f"{index}.{ending}" for index in ("", "/index") for ending in ("js", "cjs", "mjs", "ts")
)
_DEEPEST_FOLDER = 12


class Read(NamedTuple):
    """What commands run or read, as far as they say it."""

    words: frozenset[str]
    paths: frozenset[str]
    patterns: Patterns
    """Of what programs read without being told."""

    def names(self, path: str) -> bool:
        """Tell whether a command names the path, whole or beneath a folder that it names."""
        parts = path.split("/", _DEEPEST_FOLDER)
        places = [("/".join(parts[:at]), "/".join(parts[at:])) for at in range(1, len(parts))]
        return path in self.paths or any(
            folder in self.paths and rest in self.paths for folder, rest in places
        )


def read_by(commands: Iterable[str]) -> Read:
    """Return what the commands read."""
    words: set[str] = set()
    paths: set[str] = set()
    patterns: set[str] = set()
    for command in commands:
        said = _words(command)
        words.update(said)
        paths.update(path for word in said for path in _paths(word))
        paths.update(_started(said))
        programs = {_program(word) for word in said}
        patterns.update(*(_READ_BY.get(program, ()) for program in programs))
        if programs & _RUNNERS or _SCRIPT.search(command):
            patterns.update(_EVERYTHING)
    return Read(frozenset(words), frozenset(paths), Patterns(" ".join(patterns)))


def _words(command: str) -> list[str]:
    """Return the pieces of a command in order, and the words that only quoting makes."""
    try:
        quoted = shlex.split(command, comments=False)
    except ValueError:
        quoted = []
    pieces = _PIECE.findall(_VARIABLE.sub("/", command))
    return [*pieces, *(word for word in quoted if word not in pieces)]


def _program(word: str) -> str:
    name = word.rpartition("/")[2].lower()
    return name if name in _READ_BY or name in _RUNNERS else _ENDING.sub("", name)


def _paths(word: str) -> Iterator[str]:
    """Return what a word can mean as a path of the repository."""
    for text in {word, _GLUED.sub("", word)}:
        path = posixpath.normpath(text)
        yield _UPWARDS.sub("", path)
        if path.startswith(("/", "~", "../")):  # the folder of the workspace may stand before it
            parts = path.split("/")
            yield from ("/".join(parts[start:]) for start in range(1, len(parts)))


def _started(words: list[str]) -> Iterator[str]:
    """Return the files behind modules, folders and names that an interpreter is told to start."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        path = posixpath.normpath(after)
        if word == "-m":
            module = after.replace(".", "/")
            yield from (f"{module}.py", f"{module}/__main__.py")
        elif _PYTHON.fullmatch(word):
            yield f"{path}/__main__.py"
        elif _SCRIPTED.fullmatch(word):
            yield from (f"{path}{ending}" for ending in _SCRIPT_ENDINGS)
