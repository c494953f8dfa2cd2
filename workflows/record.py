"""A session's state while a run of its workflow holds it, and how it shows itself.

Mutable, unlike `SessionState`, its form between runs. Turn, delivery and session change it;
whatever should be seen without a worker goes through `show`.
"""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from workflows.contract.names import PHASE_ATTRIBUTE, VIEW_MEMO
from workflows.contract.sandbox import SandboxBinding
from workflows.contract.session import (
    QUEUED_EXCERPT_CHARACTERS,
    Phase,
    PromptMode,
    PromptSignal,
    PullRequestState,
    SessionInput,
    SessionView,
    TurnEnd,
    TurnState,
    ViewedPullRequest,
)
from workflows.contract.transcript import FromPrompt, FromWorkflow, NewMessage
from workflows.policy import admission

NOTE_BYTES = 600

PHASE_KEY = SearchAttributeKey.for_keyword(PHASE_ATTRIBUTE)


class SessionRecord:
    """What a session knows; `state` is all of it that survives the run."""

    def __init__(self, start: SessionInput) -> None:
        self.session = start.session
        self.options = start.options
        self.run_index = start.run_index
        self.state = start.state
        self.phase = Phase.PREPARING
        self.activity = ""
        self.refused = ""
        self.interrupted = False
        """A person wants the running turn to stop."""

        self.closing = False

    def update(self, **changes: object) -> None:
        """Replace fields of the state."""
        self.state = self.state.model_copy(update=changes)

    def update_turn(self, **changes: object) -> None:
        """Replace fields of the running turn."""
        self.update(turn=self.turn.model_copy(update=changes))

    @property
    def turn(self) -> TurnState:
        """The running turn; asking for it between turns is a defect of the caller."""
        assert self.state.turn is not None
        return self.state.turn

    @property
    def binding(self) -> SandboxBinding:
        """The open sandbox; asking for it before it is open is a defect of the caller."""
        assert self.state.binding is not None
        return self.state.binding

    def receive(self, prompt: PromptSignal) -> None:
        """Queue a prompt once; refuse it, visibly, when the queue is full."""
        state = self.state
        decision = admission.admit(prompt.id, state)
        if decision is admission.Admission.REPEATED:
            return
        if decision is admission.Admission.REFUSED:
            self.refused = f"{prompt.id}: too much is waiting already ({len(state.queue)} prompts)"
            self.show()
            return
        urgent = prompt.mode is PromptMode.INTERRUPT
        excerpt = prompt.excerpt[:QUEUED_EXCERPT_CHARACTERS]
        prompt = prompt.model_copy(update={"excerpt": excerpt})
        queue = (prompt, *state.queue) if urgent else (*state.queue, prompt)
        self.update(queue=queue, seen=admission.remember(prompt.id, state.seen))
        if urgent:
            self.interrupt()

    def interrupt(self) -> None:
        """Ask the running turn, if there is one, to stop."""
        self.interrupted = self.state.turn is not None

    def begin_turn(self) -> None:
        """Take the next prompt from the queue."""
        prompt, *rest = self.state.queue
        number = self.state.turns + 1
        self.interrupted = False
        self.update(
            queue=tuple(rest),
            turns=number,
            turn=TurnState(number=number, prompt=prompt, started_at=workflow.now().timestamp()),
        )
        self.tell(FromPrompt(prompt_id=prompt.id))

    def end_turn(self, end: TurnEnd) -> None:
        """Leave the turn; what its model has not been told yet stays pending."""
        self.interrupted = False
        self.update(turn=None, last=end)

    def note(self, text: str, call_id: str | None = None) -> None:
        """Let the next model call begin with a text of ours, as an answer if a call is named.

        Cut to 600 bytes: with the most calls of a step the state still fits a new run.
        """
        short = text.encode()[:NOTE_BYTES].decode(errors="ignore")
        self.tell(FromWorkflow(text=short, call_id=call_id))

    def tell(self, *messages: NewMessage) -> None:
        """Let the next model call begin with these messages."""
        self.update(pending=(*self.state.pending, *messages))

    def take_steering(self) -> None:
        """Move the prompts that steer the running turn from the queue to its next model call."""
        steering = [prompt for prompt in self.state.queue if prompt.mode is PromptMode.STEER]
        if steering:
            rest = tuple(
                prompt for prompt in self.state.queue if prompt.mode is not PromptMode.STEER
            )
            self.update(queue=rest)
            self.tell(*(FromPrompt(prompt_id=prompt.id) for prompt in steering))

    def show(self, phase: Phase | None = None, activity: str = "") -> None:
        """Publish the view, and the phase for lists when it changed."""
        if phase is not None and phase is not self.phase:
            self.phase = phase
            workflow.upsert_search_attributes([PHASE_KEY.value_set(phase.value)])
        self.activity = " ".join(activity.split())[:200]
        workflow.upsert_memo({VIEW_MEMO: self.view()})

    def memo(self) -> dict[str, object]:
        """Return what the session's next run shows from its first moment on."""
        return {**workflow.memo(), VIEW_MEMO: self.view()}

    def view(self) -> SessionView:
        """Return what anybody may see."""
        state, turn = self.state, self.state.turn
        return SessionView(
            phase=self.phase,
            run_index=self.run_index,
            turn=state.turns,
            step=turn.step if turn is not None else 0,
            queued=len(state.queue),
            usage=state.usage,
            head=state.head.manifest,
            activity=self.activity,
            pull_request=_viewed(state.pull_request),
            last=state.last,
            checks=state.checks,
            refused=self.refused,
        )


def _viewed(proposal: PullRequestState | None) -> ViewedPullRequest | None:
    if proposal is None:
        return None
    return ViewedPullRequest(
        revision=proposal.revision, commit=proposal.commit, passed=proposal.passed
    )
