"""Whatever tells the programs that commands start what to look at is found, and no more."""

import pytest

from tests.activities.checks.examining.works import PLAN, blocking, examined

CARGO = '[package]\nname = "a"\nversion = "1.0.0"\n'
NPM = '{"name": "a", "version": "1.0.0", "workspaces": ["one", "two"]}'
GO = "module a\n\ngo 1.25\n"
GEMS = "source 'https://rubygems.org'\n\ngroup :test do\n  gem 'rspec', '~> 3.0'\nend\n"
PROJECT = '[project]\nname = "a"\n'

READ = [
    ("gradle test", "build.gradle"),
    ("./gradlew test", "build.gradle"),
    ("./gradlew test", "app/build.gradle.kts"),
    ("./gradlew test", "gradle.properties"),
    ("./gradlew test", "gradle/wrapper/gradle-wrapper.properties"),
    ("./gradlew test", "gradlew"),
    ("cd android && ../gradlew test", "settings.gradle"),
    ("JAVA_HOME=/opt/jdk ./mvnw -q test", "pom.xml"),
    ("./mvnw -q test", ".mvn/maven.config"),
    ("/usr/share/maven/bin/mvn test", "core/pom.xml"),
    ("mvnw.cmd test", "pom.xml"),
    ("npx vitest run", "vite.config.ts"),
    ("vitest run", "packages/app/vite.config.mjs"),
    ("node_modules/.bin/vitest run", "vite.config.js"),
    ("npm test", "vite.config.ts"),
    ("pnpm -r test", "pnpm-workspace.yaml"),
    ("npm test", ".npmrc"),
    ("yarn test", ".yarnrc.yml"),
    ("bun test", "bunfig.toml"),
    ("deno test", "deno.jsonc"),
    ("npx jest", "babel.config.js"),
    ("npx nx test", "nx.json"),
    ("npx turbo run test", "turbo.json"),
    ("cargo test", ".cargo/config.toml"),
    ("cargo test", "rust-toolchain.toml"),
    ("cargo nextest run", ".config/nextest.toml"),
    ("go test ./...", "go.work"),
    ("go test ./...", "vendor/github.com/stretchr/testify/assert/assertions.go"),
    ("dotnet test", "src/App.Tests/App.Tests.csproj"),
    ("dotnet test", "Directory.Build.props"),
    ("dotnet format --verify-no-changes", ".editorconfig"),
    ("swift test", "Package.swift"),
    ("mix test", "mix.exs"),
    ("bundle exec rspec", ".rspec"),
    ("bundle exec rubocop", ".rubocop_todo.yml"),
    ("bundle exec rake", "lib/tasks/test.rake"),
    ("vendor/bin/phpunit", "phpunit.dist.xml"),
    ("vendor/bin/psalm", "psalm.xml"),
    ("npx oxlint", ".oxlintrc.json"),
    ("ctest", "CMakeLists.txt"),
    ("meson test -C build", "meson.build"),
    ("gmake check", "GNUmakefile"),
    ("make -C web check", "web/Makefile"),
    ("just test", "justfile"),
    ("go-task test", "Taskfile.yml"),
    ("inv test", "tasks.py"),
    ("hatch test", "hatch.toml"),
    ("pipenv run pytest", ".env"),
    ("mise run test", "mise.toml"),
    ("sh -c 'make test'", "Makefile"),
    ('bash -lc "cd web && make test"', "web/Makefile"),
    ("env CI=1 make test", "Makefile"),
    ("(make test)", "Makefile"),
    ("pip list&&make test", "Makefile"),
    ("${MAKE:-make} test", "Makefile"),
    ("make test", "build.gradle"),
    ("make test", "CMakeLists.txt"),
    ("just test", "vite.config.ts"),
    ("tox -e py", "Makefile"),
    ("sh ci/test.sh", "build.gradle"),
    ("scripts/test", "Makefile"),
    ("python3 tools/check.py", "Makefile"),
    ("cd backend && ./check.sh", "backend/check.sh"),
    ("cd backend && ../ci/check.sh", "ci/check.sh"),
    ("bash -c 'ci/check --all'", "ci/check"),
    ("$PWD/ci/check", "ci/check"),
    ("pytest --config-file=ci/all.ini", "ci/all.ini"),
    ("make -fci/rules", "ci/rules"),
    ("PYTHONPATH=src python3 -m checks.all", "src/checks/all.py"),
    ("python3 checks", "checks/__main__.py"),
    ("node checks/all", "checks/all.mjs"),
    ("node --import ./register app.js", "register.mjs"),
]


@pytest.mark.parametrize(("command", "path"), READ)
def test_what_a_command_reads_is_protected(command: str, path: str) -> None:
    """However the program is named, wrapped and placed, and whatever stands in front of it."""
    assert found(command, path, "a\n", "b\n") == [("protected-path", path)]


PARTS = [
    ("cargo test", "Cargo.toml", CARGO, CARGO + "[lib]\ntest = false\n"),
    ("cargo test", "Cargo.toml", CARGO, CARGO + "autotests = false\n"),
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[[test]]\nname = "a"\nharness = false\n'),
    ("cargo test", "Cargo.toml", CARGO, CARGO + "[profile.test]\noverflow-checks = false\n"),
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[patch.crates-io]\na = { path = "a" }\n'),
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[dev-dependencies]\na = { path = "a" }\n'),
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[workspace]\nexclude = ["a"]\n'),
    ("cargo test", "Cargo.toml", CARGO + '[workspace]\nmembers = ["a"]\n', CARGO),
    ("cargo test", "a/Cargo.toml", CARGO, None),
    ("cargo clippy -- -D warnings", "Cargo.toml", CARGO, CARGO + '[lints.clippy]\nall = "allow"\n'),
    ("cargo test", "Cargo.toml", CARGO, "[package"),
    ("npm test", "package.json", NPM, NPM.replace('"one", ', "")),
    ("npm test", "package.json", NPM, NPM.replace("}", ', "scripts": {"test": "true"}}')),
    ("npm test", "package.json", NPM, NPM.replace("}", ', "babel": {"plugins": ["./a"]}}')),
    ("npx check", "package.json", NPM, NPM.replace("}", ', "bin": {"check": "true.js"}}')),
    ("go test ./...", "go.mod", GO, GO + "ignore ./a\n"),
    ("go test ./...", "go.mod", GO, GO + "ignore (\n\t./a\n)\n"),
    ("go test ./...", "go.mod", GO, GO + "replace github.com/b/c => ./c\n"),
    ("go test ./...", "pkg/broken/go.mod", None, GO),
    ("bundle exec rspec", "Gemfile", GEMS, GEMS + "module RSpec; end\n"),
    ("bundle exec rspec", "Gemfile", GEMS, GEMS.replace("'~> 3.0'", "path: 'rspec'")),
    ("composer test", "composer.json", "{}", '{"scripts": {"test": "true"}}'),
    ("pipenv run test", "Pipfile", "", '[scripts]\ntest = "true"\n'),
    ("pixi run test", "pixi.toml", "", '[tasks]\ntest = "true"\n'),
    ("pixi run test", "pyproject.toml", PROJECT, PROJECT + '[tool.pixi.tasks]\ntest = "true"\n'),
    ("rye run test", "pyproject.toml", PROJECT, PROJECT + '[tool.rye.scripts]\ntest = "true"\n'),
    (
        "poetry run pytest",
        "pyproject.toml",
        PROJECT,
        PROJECT + '[tool.poetry.scripts]\npytest = "a:main"\n',
    ),
    (
        "uv run pytest",
        "pyproject.toml",
        PROJECT,
        PROJECT + '[tool.uv.sources]\npytest = { path = "a" }\n',
    ),
]


@pytest.mark.parametrize(("command", "path", "before", "after"), PARTS)
def test_a_part_for_the_checks_is_protected(
    command: str, path: str, before: str | None, after: str | None
) -> None:
    """Such a part leaves out what would be looked at, or lets something else look at it."""
    assert found(command, path, before, after) == [("protected-path", path)]


ORDINARY = [
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[dependencies]\nserde = "1"\n'),
    ("cargo test", "Cargo.toml", CARGO, CARGO + '[dev-dependencies]\nrstest = "1"\n'),
    ("cargo test", "Cargo.toml", CARGO, CARGO + "[features]\nfast = []\n"),
    ("cargo test", "Cargo.toml", CARGO, CARGO + "[profile.release]\nlto = true\n"),
    ("cargo test", "Cargo.toml", CARGO, CARGO.replace("1.0.0", "1.1.0")),
    (
        "cargo test",
        "Cargo.toml",
        '[workspace]\nmembers = ["a"]\n',
        '[workspace]\nmembers = ["a", "b"]\n',
    ),
    ("cargo test", "b/Cargo.toml", None, CARGO),
    ("npm test", "package.json", NPM, NPM.replace("}", ', "dependencies": {"a": "1"}}')),
    ("npm test", "package.json", NPM, NPM.replace('"two"', '"two", "three"')),
    ("npm test", "package.json", NPM, NPM.replace("}", ', "bin": {"a": "cli.js"}}')),
    ("go test ./...", "go.mod", GO, GO + "require (\n\tgithub.com/b/c v1.0.0 // indirect\n)\n"),
    ("bundle exec rspec", "Gemfile", GEMS, GEMS + "gem 'rack', '>= 2', require: false # web\n"),
    ("composer test", "composer.json", "{}", '{"require": {"a/b": "1"}}'),
    ("pixi run test", "pixi.toml", "", '[dependencies]\na = "1"\n'),
    ("poetry run pytest", "pyproject.toml", PROJECT, PROJECT + '[project.scripts]\na = "a:main"\n'),
    (
        "uv run pytest",
        "pyproject.toml",
        PROJECT,
        PROJECT + "[tool.uv.sources]\nb = { workspace = true }\n",
    ),
    ("python3 -m pytest -q", "Makefile", "a\n", "b\n"),
    ("uv run pytest -q", "web/vite.config.ts", "a\n", "b\n"),
    (". .venv/bin/activate && pytest", "Makefile", "a\n", "b\n"),
    ("python manage.py test", "Makefile", "a\n", "b\n"),
    ("pytest -m 'not docker'", "Makefile", "a\n", "b\n"),
    ("pdm run pytest", "Makefile", "a\n", "b\n"),
    ("cd web && npm test", "pom.xml", "a\n", "b\n"),
    ("make test", "app/tasks.py", "a = 1\n", "a = 2\n"),
    ("make test", "Dockerfile", "a\n", "b\n"),
    ("make test", "project/settings.py", "a = 1\n", "a = 2\n"),
    ("make test", "cmd/build/main.go", "package main\n", "package main\n\n"),
    ("./gradlew test", "src/main/java/A.java", "a\n", "b\n"),
    ("npx vitest run", "src/app.ts", "a\n", "b\n"),
    ("cargo test", "src/lib.rs", "a\n", "b\n"),
    ("sh ci/test.sh", "README.md", "a\n", "b\n"),
]


@pytest.mark.parametrize(("command", "path", "before", "after"), ORDINARY)
def test_ordinary_work_is_left_alone(
    command: str, path: str, before: str | None, after: str | None
) -> None:
    """Needing another package and packing otherwise is none of the checks' affairs."""
    assert found(command, path, before, after) == []


@pytest.mark.parametrize("path", ["jest.setup.ts", "src/setupTests.js", "spec/support/all.rb"])
def test_what_is_loaded_before_tests_is_put_back(path: str) -> None:
    """As a `conftest.py` is: it can change what every test says."""
    assert examined({path: "a\n"}, {path: "b\n"}).original == (path,)


def test_deep_paths_take_no_time() -> None:
    """However many folders a hostile path has."""
    path = "a/" * 100_000 + "a"
    assert found("cd a && make a", path, "a\n", "b\n") == []


def found(command: str, path: str, before: str | None, after: str | None) -> list[tuple[str, str]]:
    """Examine the change of one file under one check."""
    check = PLAN.checks[0].model_copy(update={"command": command})
    old, new = ({} if text is None else {path: text} for text in (before, after))
    return blocking(examined(old, new, PLAN.model_copy(update={"checks": (check,)})))
