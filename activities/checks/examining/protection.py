"""Files that say what the checks look at and how: which of them the work changes.

A file that serves other ends too, such as `pyproject.toml`, counts only if a part of it that
checks read differs.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from activities.checks.examining import parts, programs, roles
from activities.checks.examining.patterns import Patterns
from activities.checks.examining.programs import Read
from activities.checks.examining.tampering import tampering
from workflows.contract.checks import CheckPlan
from workflows.contract.findings import Finding

_CONFIGURATION = Patterns(
    """
    pytest.ini .pytest.ini pytest.toml .pytest.toml tox.ini tox.toml noxfile.py hatch.toml
    mypy.ini .mypy.ini ruff.toml .ruff.toml .flake8 .pylintrc* pylintrc* .pycodestyle .pep8
    pyrightconfig.json ty.toml pyrefly.toml .pyre_configuration* pytype.cfg .coveragerc* .isort.cfg
    .bandit bandit.y*ml .pydocstyle* .importlinter .codespellrc .pre-commit-config.y*ml
    .overnight.toml .gitlab-ci.yml azure-pipelines.yml jenkinsfile .travis.yml .editorconfig
    .env .envrc .env.test* .flaskenv node_modules/* .venv/*
    .eslintrc* eslint.config.* .eslintignore .oxlintrc* oxlint.config.* tslint.json .jshintrc
    .jshintignore tsconfig*.json *.tsconfig.json jsconfig*.json jest.config.* jest.preset.*
    jest-*.config.* vitest.config.* vitest.workspace.* karma.conf.* .mocharc* ava.config.* .taprc
    jasmine.json jasmine.mjs playwright*.config.* cypress.config.* web-test-runner.config.*
    wdio.conf.* biome.json* .prettierrc* prettier.config.* .prettierignore dprint.json* .dprint.json
    .stylelintrc* stylelint.config.* .stylelintignore .nycrc* nyc.config.* .c8rc* .lintstagedrc*
    lint-staged.config.* .markdownlint* .remarkrc* .textlintrc* .vale.ini cspell.* .cspell*
    .golangci.* staticcheck.conf .testcoverage.y*ml
    clippy.toml .clippy.toml rustfmt.toml .rustfmt.toml deny.toml .cargo/config* rust-toolchain*
    nextest.toml .config/nextest.toml tarpaulin.toml .tarpaulin.toml
    .clang-tidy .clang-format* cpplint.cfg
    .rubocop*.yml .rspec .standard.yml .reek.yml steepfile sorbet/config
    phpunit*.xml* phpstan*.neon* psalm*.xml* phpcs*.xml* .phpcs*.xml* .php-cs-fixer*.php phpmd*.xml
    pint.json rector.php infection.json* grumphp.y*ml
    checkstyle*.xml *suppressions.xml spotbugs*.xml pmd*.xml testng*.xml junit-platform.properties
    .scalafix.conf .scalafmt.conf .swiftlint.y*ml .swiftformat .swift-format
    .credo.exs .formatter.exs .dialyzer* .hlint.yaml hlint.yaml analysis_options.yaml
    .shellcheckrc .yamllint* .hadolint.y*ml .ansible-lint* .sqlfluff* .tflint.hcl buf.yaml
    .spectral.* .ignore .rgignore .typos.toml typos.toml _typos.toml .gitleaks* .secrets.baseline
    codecov.yml .codecov.yml sonar-project.properties .semgrep* lefthook.y*ml .lefthook.y*ml
    """
)
_FOLDERS = (".github/", ".circleci/", ".husky/", ".buildkite/", ".gitlab/")


class Sides(NamedTuple):
    """A changed file's text at the base commit and in the work; none when it is not there."""

    path: str
    before: str | None
    after: str | None


def is_in_part(path: str) -> bool:
    """Tell whether only parts of the file count, so that its text is needed."""
    return parts.is_in_part(path)


def findings(changed: Iterable[Sides], plan: CheckPlan) -> Iterator[Finding]:
    """Return a finding for each file that steers the checks and that the work changes."""
    read = programs.read_by(check.command for check in plan.checks)
    for sides in changed:
        why = _why(sides, plan, read)
        if why:
            message = f"{why}: put it back as it is at the base commit"
            yield tampering("protected-path", sides.path, message)


def _why(sides: Sides, plan: CheckPlan, read: Read) -> str:
    path, name = sides.path, sides.path.rpartition("/")[2]
    if any(fnmatchcase(path, pattern) for pattern in plan.guarded):
        return "the repository guards this file"
    if not plan.checks:
        return ""
    if is_in_part(path):
        return parts.difference(name, sides.before, sides.after, read.words)
    if path.startswith(_FOLDERS) or _CONFIGURATION.fit(path):
        return "it configures the checks"
    is_run = read.names(path) and not roles.is_test(path)
    return "a check's command uses it" if is_run or read.patterns.fit(path) else ""
