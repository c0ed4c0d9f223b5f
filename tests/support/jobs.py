"""Jobs that only note what is asked of them, for tests of those who ask."""

from dataclasses import dataclass, field
from typing import Literal

from shared.events import Message
from shared.ports import ExecutionState

State = Literal["running", "succeeded", "failed", "cancelled", "unknown"]


@dataclass
class NotedJobs:
    """Executions whose state a test sets."""

    started: list[Message] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    problem: Exception | None = None

    def start(self, name: str, message: Message) -> str:
        """Note it, and call it running."""
        if self.problem:
            raise self.problem
        self.started.append(message)
        execution = f"{name}/{len(self.started)}"
        self.states[execution] = "running"
        return execution

    def state(self, execution: str) -> ExecutionState:
        """What the test set."""
        return ExecutionState(execution, self.states.get(execution, "unknown"), reason="so it goes")

    def cancel(self, execution: str) -> None:
        """Cancelled, when it was running."""
        if self.states.get(execution) == "running":
            self.states[execution] = "cancelled"
