from activities.model.prompt import NO_CHECKS, system_prompt
from workflows.contract.model import WorkingFacts

FACTS = WorkingFacts(
    repository="/srv/$app", base="main", workspace="/workspace", checks=("make test", "make lint")
)


def test_the_facts_are_in_the_prompt():
    """The model learns where it is and what will judge it, literally."""
    prompt = system_prompt(FACTS)
    for fact in ("/srv/$app", "Base branch: main.", "/workspace", "- `make test`\n- `make lint`"):
        assert fact in prompt


def test_a_repository_without_checks_says_so():
    """No check is claimed when there is none."""
    assert NO_CHECKS in system_prompt(FACTS.model_copy(update={"checks": ()}))


def test_the_prompt_is_short():
    """About 1,300 tokens at four characters each: it is paid for with every step."""
    assert 3_000 < len(system_prompt(FACTS)) < 6_500
