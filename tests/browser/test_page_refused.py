"""What a session did not take is told where it was said, and nothing of it is lost."""

from playwright.sync_api import Page

TOLD = """async (events) => {
  const { Story } = await import('/page/story.js');
  const { part } = await import('/page/items.js');
  const story = new Story();
  for (const [at, event] of events.entries()) story.take({ cursor: String(at), at: null, event });
  return story.items.map((item) => {
    const { element } = part(null, item);
    return [element.className, element.textContent];
  });
}"""
ARRIVED = {"kind": "prompt.arrived", "prompt_id": "p"}
PROMPT = ARRIVED | {"mode": "queue", "size": 5, "excerpt": "Do it"}
YES = {"question": "q", "approved": True, "text": ""}
NO = {"question": "q", "approved": False, "text": "never"}


def test_a_prompt_that_was_not_taken_says_so_and_keeps_its_text(page: Page) -> None:
    """Until the same is sent again and taken."""
    page.goto("/")
    refused = {"kind": "prompt.refused", "prompt_id": "p", "reason": "too much", "excerpt": "Do it"}
    why = "The session did not take it: too much. Send it again later."
    told = page.evaluate(TOLD, [PROMPT, refused])
    assert told == [["prompt refused", f"Younot takenDo it{why}"]]
    assert page.evaluate(TOLD, [PROMPT, refused, PROMPT]) == [["prompt arrived", "YouDo it"]]


def test_an_answer_that_did_not_count_says_so(page: Page) -> None:
    """It stands beside the one that did; the very same answer twice is one."""
    page.goto("/")
    made = {"kind": "decision.made"}
    late = {"kind": "decision.refused", "reason": "this question is not open"}
    told = page.evaluate(TOLD, [made | NO, made | YES, made | NO, late | YES])
    assert told == [
        ["note decision", "a person refused it: never"],
        ["note warn", "a person allowed it (did not count: this question is not open)"],
    ]
