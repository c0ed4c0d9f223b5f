"""Generate variations: fifty ways to make an ad, ranked, the best picked for rendering."""

from shared.app import App
from shared.creation import (
    keep_facts,
    keep_plan,
    plan_concept,
    plan_path,
    planned_event,
    predictions_of,
    read_plan,
)
from shared.events import VariationsPlanned, VariationsRequested
from shared.handler import stage


@stage
def generate_variations(wanted: VariationsRequested, app: App) -> VariationsPlanned:
    """A repeat finds the first plan; it was made with the ads known at that moment."""
    path = plan_path(wanted.concept_id, wanted.run)
    if app.files.info(path) is None:
        keep_plan(plan_concept(wanted, app), wanted.run, app)
    plan = read_plan(path, app)
    app.tables.append("predictions", predictions_of(plan, wanted.run, app))
    keep_facts(plan, path, app)
    return planned_event(plan, path, app)
