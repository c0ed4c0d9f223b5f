"""The stage render: one started job for each chosen variation, and nothing twice."""

from shared.app import App
from shared.events import VariationChosen, VariationsPlanned
from tests.support.stages import work_of

PLAN = VariationsPlanned(
    tenant_id="local", concept_id="c" * 32, plan_path="plans/c/1.json", selected=(7, 2), run=3
)


def test_each_chosen_variation_gets_a_job_of_its_own(app: App) -> None:
    """In the order of their places; a repeat of the plan is a repeat of them."""
    wishes = work_of("render")(PLAN, app)
    assert [wish.job for wish in wishes] == ["render", "render"]
    events = [wish.event for wish in wishes]
    assert events == [
        VariationChosen(concept_id="c" * 32, variation_number=n, plan_path="plans/c/1.json", run=3)
        for n in (7, 2)
    ]
    assert len({event.identity for event in events}) == 2
    assert len({event.subject_id for event in events}) == 2


def test_a_plan_without_a_choice_starts_nothing(app: App) -> None:
    assert list(work_of("render")(PLAN.model_copy(update={"selected": ()}), app)) == []
