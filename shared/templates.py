"""Knowledge as one tenant sees it: what is shipped, with the tenant's own entries over it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.app import App
from shared.domain.patterns.templates import (
    TOPICS,
    Knowledge,
    Topic,
    check_knowledge,
    combined,
    shipped,
)
from shared.ports import Documents

KIND = "knowledge"
LOOK_AGAIN = timedelta(seconds=30)
"""How long an edit may take to be seen; a look is one read of one document."""


@dataclass
class Templates:
    """Knowledge that is read anew when its document has changed, and not oftener looked at.

    A broken edit is refused when it is made; one that got in by another way raises
    KnowledgeInvalid here.
    """

    documents: Documents
    now: Callable[[], datetime]
    _held: dict[Topic, tuple[datetime, str, Knowledge]] = field(default_factory=dict)

    def read(self, topic: Topic) -> Knowledge:
        """The entries of a topic, at most 30 seconds old."""
        now = self.now()
        held = self._held.get(topic)
        if held and now - held[0] < LOOK_AGAIN:
            return held[2]
        document = self.documents.get(KIND, topic)
        version = document.version if document else ""
        if held and held[1] == version:
            knowledge = held[2]
        else:
            place = f"documents {KIND}/{topic}"
            theirs = check_knowledge(dict(document.data), place) if document else None
            knowledge = combined(shipped(topic), theirs)
        self._held[topic] = (now, version, knowledge)
        return knowledge


def templates_of(app: App) -> Templates:
    """The knowledge of an app's tenant."""
    return Templates(app.documents, app.now)


def keep_own(topic: Topic, own: Knowledge, app: App) -> None:
    """Store a tenant's own entries of a topic in place of those before."""
    app.documents.put(KIND, topic, own.model_dump(mode="json"))


def check_all(app: App) -> dict[Topic, Knowledge]:
    """Every topic as the tenant sees it; raises KnowledgeInvalid at the first that is broken."""
    templates = templates_of(app)
    return {topic: templates.read(topic) for topic in TOPICS}
