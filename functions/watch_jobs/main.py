"""Watch jobs: an execution that died without a word, or ran past its time, is a dead letter."""

from collections.abc import Sequence

from shared.app import App
from shared.events import DeadLettered, JobsDue
from shared.handler import stage
from shared.jobs import dead_letters


@stage
def watch_jobs(due: JobsDue, app: App) -> Sequence[DeadLettered]:
    """Look after the open jobs of every tenant; those alive are left alone."""
    tenants = app.documents.tenants()
    return [letter for tenant in tenants for letter in dead_letters(app.for_tenant(tenant))]
