"""A session's state while a run of its workflow holds it, and how it shows itself.

Mutable, unlike `SessionState`, its form between runs. Turn, delivery and session change it;
whatever should be seen without a worker goes through `show`.
"""

from typing import NamedTuple

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.workflow import ActivityHandle

from workflows import counting
from workflows.contract import metrics
from workflows.contract.asking import DecideSignal
from workflows.contract.base import PromptId
from workflows.contract.checks import Baseline, CheckResult
from workflows.contract.events import DecisionRefused, PromptRefused
from workflows.contract.judging import Judgement, Verdict
from workflows.contract.names import OPTIONS_MEMO, PHASE_ATTRIBUTE, REFUSED_MEMO, VIEW_MEMO
from workflows.contract.sandbox import SandboxBinding, WorkBundle
from workflows.contract.session import (
    QUEUED_EXCERPT_CHARACTERS,
    VIEWED_QUEUE,
    ConfigureSignal,
    Phase,
    PromptMode,
    PromptSignal,
    PullRequestState,
    QueuedPrompt,
    SessionInput,
    SessionView,
    StopReason,
    TurnEnd,
    TurnState,
    ViewedPullRequest,
)
from workflows.contract.transcript import FromPrompt, FromWorkflow, NewMessage
from workflows.policy import admission

NOTE_BYTES = 500
EDITS_LOOKED_AT = 16
EDITED_PATH_CHARACTERS = 300
INTERRUPTED = "stopped by a person; send a prompt to go on"

PHASE_KEY = SearchAttributeKey.for_keyword(PHASE_ATTRIBUTE)


class Judged(NamedTuple):
    """Work with all that is known of it."""

    work: WorkBundle
    verdict: Verdict
    results: tuple[CheckResult, ...] = ()
    judgement: Judgement | None = None
    """None when there was nothing to judge, or nothing has changed since it was."""

    summary: str = ""
    """What the model says it did, once it wished to finish."""


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
        self.decision: DecideSignal | None = None
        """The answer to what is asked, until it is taken up."""

        self.counted: DecideSignal | None = None
        """The newest answer that counted: the very same again is harmless."""

        self.preparing: ActivityHandle[Baseline] | None = None
        """The baseline that is being found out."""

        self.judged: Judged | None = None
        """The work that the running turn finishes with, for its delivery."""

    def update(self, **changes: object) -> None:
        """Replace fields of the state."""
        self.state = self.state.model_copy(update=changes)

    def update_turn(self, **changes: object) -> None:
        """Replace fields of the running turn."""
        self.update(turn=self.turn.model_copy(update=changes))

    def update_gate(self, **changes: object) -> None:
        """Replace fields of what the gate remembers of the running turn."""
        self.update_turn(gate=self.turn.gate.model_copy(update=changes))

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

    @property
    def model(self) -> str:
        """The model to ask: the session's own, or the fallback the running turn has come to."""
        turn = self.state.turn
        models = (self.options.model, *self.options.fallbacks)
        return models[min(turn.fallback if turn is not None else 0, len(models) - 1)]

    def now(self) -> float:
        """Return the workflow's clock in seconds since the epoch."""
        return workflow.now().timestamp()

    def receive(self, prompt: PromptSignal) -> None:
        """Queue a prompt once; refuse it, as an event, when there is no room at all."""
        state = self.state
        decision = admission.admit(prompt.id, state)
        if decision is admission.Admission.REPEATED:
            return
        if decision is admission.Admission.REFUSED:
            counting.count(metrics.PROMPTS_REFUSED)
            reason = f"too much is waiting already ({len(state.queue)} prompts)"
            refused = PromptRefused(prompt_id=prompt.id, reason=reason, excerpt=prompt.excerpt)
            self._refuse(f"{prompt.id}: {reason}", refused)
            return
        urgent = prompt.mode is PromptMode.INTERRUPT
        prompt = _short(prompt)
        queue = (prompt, *state.queue) if urgent else (*state.queue, prompt)
        self.update(queue=queue, seen=admission.remember(prompt.id, state.seen))
        if urgent:
            self.interrupt()
        self.show(activity=self.activity)

    def replace(self, prompt: PromptId, replacement: PromptSignal | None) -> int:
        """Put another prompt, or none, into the place of a waiting one; return how many wait."""
        queue: list[PromptSignal] = []
        for waiting in self.state.queue:
            if waiting.id != prompt:
                queue.append(waiting)
            elif replacement is not None:
                queue.append(_short(replacement))
                self.update(seen=admission.remember(replacement.id, self.state.seen))
        self.update(queue=tuple(queue))
        self.show(activity=self.activity)
        return len(queue)

    def decide(self, decision: DecideSignal) -> None:
        """Take an answer to what is asked; any other is refused, visibly."""
        asked = self.state.asked
        if asked is not None and asked.id == decision.question and self.decision is None:
            self.decision = self.counted = decision
            return
        if decision == self.counted:
            return
        reason = "this question is not open"
        if self.counted is not None and self.counted.question == decision.question:
            reason += ": another answer came first"
        refused = DecisionRefused(**decision.model_dump(), reason=reason)
        self._refuse(f"{decision.question[:20]}: {reason}", refused)

    def _refuse(self, told: str, refused: PromptRefused | DecisionRefused) -> None:
        self.refused = told
        workflow.upsert_memo({VIEW_MEMO: self.view(), REFUSED_MEMO: refused})

    def configure(self, wanted: ConfigureSignal) -> None:
        """Change model or budget; a turn that had fallen back asks the first model again."""
        changes = wanted.model_dump(exclude_none=True, exclude={"budget"})
        if wanted.budget is not None:
            changes["budget"] = wanted.budget
        self.options = self.options.model_copy(update=changes)
        if self.state.turn is not None and (wanted.model or wanted.fallbacks is not None):
            self.update_turn(fallback=0)
        workflow.upsert_memo({OPTIONS_MEMO: self.options})
        self.show(activity=self.activity)

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
            turn=TurnState(number=number, prompt=prompt, started_at=self.now()),
        )
        given = self.state.verdict
        if given is not None and given.verdict is Verdict.RED:
            self.update_gate(began_tree=given.tree)
        self.tell(FromPrompt(prompt_id=prompt.id))

    def end(self, reason: StopReason, summary: str, failure: str = "") -> TurnEnd:
        """Describe an end of the running turn; `failure` is the code of what made it fail."""
        return TurnEnd(
            turn=self.turn.number, reason=reason, summary=summary[:300], failure=failure[:60]
        )

    def interrupted_end(self) -> TurnEnd:
        """Describe the end of a turn that a person stopped."""
        return self.end(StopReason.INTERRUPTED, INTERRUPTED)

    def end_turn(self, end: TurnEnd) -> None:
        """Leave the turn; what its model has not been told yet stays pending."""
        self.interrupted = False
        self.judged = None
        self.update(turn=None, last=end)

    def note(self, text: str, call_id: str | None = None) -> None:
        """Let the next model call begin with a text of ours, as an answer if a call is named.

        Cut to 500 bytes: with the most calls of a step the state still fits a new run.
        """
        short = text.encode()[:NOTE_BYTES].decode(errors="ignore")
        self.tell(FromWorkflow(text=short, call_id=call_id))

    def tell(self, *messages: NewMessage) -> None:
        """Let the next model call begin with these messages."""
        self.update(pending=(*self.state.pending, *messages))

    def note_edit(self, path: str) -> None:
        """Remember a file to be looked at by the quick checks."""
        inside = path.removeprefix(f"{self.binding.workspace}/")
        if len(inside) > EDITED_PATH_CHARACTERS:
            return
        edited = dict.fromkeys((*self.turn.gate.edited, inside))
        self.update_gate(edited=tuple(edited)[-EDITS_LOOKED_AT:])

    def heed_person(self) -> None:
        """A person has spoken: what was tried in vain may be tried again."""
        self.update_gate(red_tree="")
        self.update_turn(recent=())

    def is_steered(self) -> bool:
        """Tell whether a prompt waits that is meant for the running turn."""
        return any(prompt.mode is PromptMode.STEER for prompt in self.state.queue)

    def take_steering(self) -> None:
        """Move the prompts that steer the running turn from the queue to its next model call."""
        steering = [prompt for prompt in self.state.queue if prompt.mode is PromptMode.STEER]
        if steering:
            rest = tuple(
                prompt for prompt in self.state.queue if prompt.mode is not PromptMode.STEER
            )
            self.update(queue=rest)
            self.heed_person()
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
            full=admission.is_full(state),
            usage=state.usage,
            head=state.head.manifest,
            activity=self.activity,
            pull_request=_viewed(state.pull_request),
            last=state.last,
            checks=state.checks,
            refused=self.refused,
            asked=state.asked,
            queue=tuple(
                QueuedPrompt(id=each.id, mode=each.mode, excerpt=each.excerpt)
                for each in state.queue[:VIEWED_QUEUE]
            ),
            model=self.model,
            verdict=state.verdict,
        )


def _short(prompt: PromptSignal) -> PromptSignal:
    return prompt.model_copy(update={"excerpt": prompt.excerpt[:QUEUED_EXCERPT_CHARACTERS]})


def _viewed(proposal: PullRequestState | None) -> ViewedPullRequest | None:
    if proposal is None:
        return None
    return ViewedPullRequest(
        revision=proposal.revision,
        commit=proposal.commit,
        passed=proposal.passed,
        draft=proposal.draft,
    )
