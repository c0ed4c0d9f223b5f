"""Render: lets a job make a file of each chosen variation."""

from collections.abc import Sequence

from shared.app import App, StartJob
from shared.events import VariationChosen, VariationsPlanned
from shared.handler import stage


@stage
def render(plan: VariationsPlanned, app: App) -> Sequence[StartJob]:
    """One execution a variation: each has its own claim, retries and progress, and can fail alone.

    The job emits variation-rendered.
    """
    return [
        StartJob(
            "render",
            VariationChosen(
                tenant_id=plan.tenant_id,
                concept_id=plan.concept_id,
                variation_number=number,
                plan_path=plan.plan_path,
                run=plan.run,
            ),
        )
        for number in plan.selected
    ]
