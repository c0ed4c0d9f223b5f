"""Creation around its domain: concepts, copy, plans and predictions in our stores."""

import json
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.clips import ads_with_results
from shared.creative_models import Concept, VariationPlan
from shared.domain.creative.concept import concept_id, read_concept
from shared.errors import AnswerUnusable, PipelineError, Rejected
from shared.events import VariationsPlanned, VariationsRequested
from shared.metering import Caps, Meter
from shared.ports import Merge
from shared.templates import templates_of
from shared.trained_models import current_model

if TYPE_CHECKING:  # they need numpy, for which a repeat need not wait
    from shared.council_ports import LanguageModel
    from shared.domain.creative.copywriting import CheckedCopy
    from shared.domain.creative.variations import Planned

CONCEPTS = "concepts"
"""Kind of documents: what is known of a concept, and how far it is."""
MOST_ADS = 2_000
MOST_RUNS = 100
JSON = "application/json"
PREDICTED = {"target", "value", "low", "high", "band", "confidence", "model_version"}


def plan_path(concept_id: str, run: int) -> str:
    """Where the plan of one run lies in Files."""
    return f"plans/{concept_id}/{run}.json"


def predictions_path(concept_id: str, run: int) -> str:
    """Where the rows lie that say what was predicted with a plan."""
    return f"plans/{concept_id}/{run}.predictions.json"


def keep_concept(concept: Concept, app: App, video_id: str | None = None) -> VariationsRequested:
    """Store a concept under its content's id; returns what asks for its variations, unpublished.

    Its run is the first whose plan is for the same video, or is not made yet.
    """
    id = concept_id(concept, app.tenant_id)
    path = f"concepts/{id}.json"
    app.files.write(path, concept.model_dump_json().encode(), content_type=JSON, once=True)
    run = next(run for run, plan in _runs(id, app) if plan is None or plan.video_id == video_id)
    return VariationsRequested(
        tenant_id=app.tenant_id, run=run, concept_id=id, concept_path=path, video_id=video_id
    )


def plan_concept(wanted: VariationsRequested, app: App) -> "Planned":
    """The plan of a stored concept, judged by a model of the tenant's own results if there is one.

    Raises ConceptInvalid, LanguageUnknown, TextTooLong, TooFewTexts, KnowledgeInvalid.
    """
    # Only who plans pays for loading numpy and the models; a repeat does not.
    from shared.domain.creative.copywriting import addresses_a_model
    from shared.domain.creative.lines import TOPIC_OF, Material
    from shared.domain.creative.recommendations import recommend, told
    from shared.domain.creative.variations import Occasion, plan_variations

    concept = read_concept(app.files.read(wanted.concept_path), wanted.concept_path)
    templates, copy = templates_of(app), _copy_of(concept, wanted, app)
    material = Material(
        {topic: templates.read(topic) for topic in TOPIC_OF.values()},
        copy.texts if copy else {},
        recommend(concept, ads_with_results(app, MOST_ADS)),
    )
    assert material.recommendations is not None
    occasion = Occasion(wanted.concept_id, app.now(), wanted.video_id)
    current = current_model("ctr", app)
    planned = plan_variations(concept, material, occasion, app.creative_rules, current.model)
    notes = [told(material.recommendations, material.trusted is not None)]
    notes += [f"the trained model: {current.problem}"] if current.problem else []
    notes += [copy.note or _copied(copy)] if copy else []
    if addresses_a_model(concept):
        notes.append("texts of this concept speak to a machine; they were used as words only")
    return planned.noted(notes)


def keep_plan(planned: "Planned", run: int, app: App) -> None:
    """Store a plan create-once, and before it what was predicted, so that no plan is without."""
    id = planned.plan.concept_id
    rows = json.dumps(prediction_rows(planned, run)).encode()
    app.files.write(predictions_path(id, run), rows, content_type=JSON)
    content = planned.plan.model_dump_json().encode()
    app.files.write(plan_path(id, run), content, content_type=JSON, once=True)


def keep_as_next_run(planned: "Planned", app: App) -> tuple[VariationPlan, str]:
    """Store a plan unless a run has the same one already; returns that which is stored, and where.

    For who plans without the stage: a changed template or model makes a new run.
    """
    for run, stored in _runs(planned.plan.concept_id, app):
        if stored is None:
            keep_plan(planned, run, app)
        path = plan_path(planned.plan.concept_id, run)
        kept = stored or read_plan(path, app)
        if _substance(kept) == _substance(planned.plan):
            app.tables.append("predictions", predictions_of(kept, run, app))
            keep_facts(kept, path, app)
            return kept, path
    raise Rejected(f"concept {planned.plan.concept_id} has {MOST_RUNS} plans; change its seed")


def read_plan(path: str, app: App) -> VariationPlan:
    """A stored plan; raises FileMissing."""
    return VariationPlan.model_validate_json(app.files.read(path))


def planned_event(plan: VariationPlan, path: str, app: App) -> VariationsPlanned:
    """What tells that a plan is stored: those selected are to be rendered."""
    return VariationsPlanned(
        tenant_id=app.tenant_id,
        run=int(path.rpartition("/")[2].removesuffix(".json")),
        concept_id=plan.concept_id,
        plan_path=path,
        selected=tuple(one.variation_number for one in plan.chosen),
    )


def predictions_of(plan: VariationPlan, run: int, app: App) -> list[dict[str, Any]]:
    """The rows of the table `predictions` that were stored with a plan."""
    rows = json.loads(app.files.read(predictions_path(plan.concept_id, run)))
    return [{**row, "predicted_at": plan.created_at} for row in rows]


def keep_facts(plan: VariationPlan, path: str, app: App) -> None:
    """The plan in short on the concept; the whole stays in Files."""
    facts: dict[str, Any] = {
        "concept_id": plan.concept_id,
        "name": plan.concept.product,
        "industry": plan.concept.industry,
        "language": plan.concept.language,
        "video_id": plan.video_id,
        "planned_at": plan.created_at.isoformat(timespec="microseconds"),
        "plan_path": path,
        "variations": len(plan.variations),
        "selected": len(plan.selected),
        "best_score": max(one.predicted_score for one in plan.variations),
        "model_version": plan.model_version,
    }
    app.documents.commit([Merge(CONCEPTS, plan.concept_id, facts)])


def prediction_rows(planned: "Planned", run: int) -> list[dict[str, Any]]:
    """One row of the table `predictions` a variation, with what the model saw; without when."""
    return [
        {
            "prediction_id": f"{id}-{run}-{one.prediction.target}-{one.prediction.model_version}",
            "subject_kind": "variation",
            "subject_id": id,
            "variation_id": id,
            **one.prediction.model_dump(mode="json", include=PREDICTED),
            "features": one.features,
        }
        for id, one in planned.judged.items()
    ]


def _runs(id: str, app: App) -> Iterator[tuple[int, VariationPlan | None]]:
    """Every run with its plan, and then the first that has none."""
    for run in range(1, MOST_RUNS + 1):
        path = plan_path(id, run)
        plan = read_plan(path, app) if app.files.info(path) else None
        yield run, plan
        if plan is None:
            return
    raise Rejected(f"concept {id} has {MOST_RUNS} plans; change its seed")


def _substance(plan: VariationPlan) -> dict[str, Any]:
    """What a plan says, without when."""
    without: Any = {"created_at": True, "variations": {"__all__": {"created_at"}}}
    return plan.model_dump(exclude=without)


def _copy_of(concept: Concept, wanted: VariationsRequested, app: App) -> "CheckedCopy | None":
    """The copy for a concept, asked for once and stored; None when no model is set."""
    from shared.domain.creative.copywriting import CheckedCopy

    if app.copywriter is None:
        return None
    path = f"plans/{wanted.concept_id}/{wanted.run}.copy.json"
    if app.files.info(path) is None:
        found = _ask(concept, wanted.concept_id, app.copywriter, app)
        content = found.model_dump_json().encode()
        app.files.write(path, content, content_type=JSON, once=True)
    return CheckedCopy.model_validate_json(app.files.read(path))


def _ask(concept: Concept, id: str, model: "LanguageModel", app: App) -> "CheckedCopy":
    """One question within the council's caps; what goes wrong is a note, templates are enough."""
    from shared.domain.council.judge import MAYBE_BILLED
    from shared.domain.council.prices import read_prices
    from shared.domain.creative.copywriting import (
        CheckedCopy,
        check_copy,
        make_copy_question,
        read_copy,
    )

    rules, on = app.council_rules, app.now().date()
    prices, question = read_prices(rules.prices), make_copy_question(concept, secrets.token_hex(8))
    estimate = prices.cost(model.name, model.estimate(question), on)
    if estimate is None:
        return CheckedCopy(note=f"no copy: no price is known of {model.name}")
    meter = Meter(app, id, Caps(rules.video_cap_micro_usd, rules.day_cap_micro_usd))
    refused = meter.hold(model.name, estimate)
    if refused:
        return CheckedCopy(note=f"no copy: {refused}")
    cost = estimate
    try:
        answer = model.ask(question, rules.deadline_seconds)
        metered = prices.cost(model.name, answer.usage, on)
        cost = estimate if metered is None else metered
        found = check_copy(read_copy(answer.text), concept, answer.model)
    except AnswerUnusable as problem:
        found = CheckedCopy(note=f"no copy: {problem.code}: {problem}")
    except PipelineError as problem:
        cost = estimate if isinstance(problem, MAYBE_BILLED) else 0
        found = CheckedCopy(note=f"no copy: {problem.code}: {problem}")
    except ImportError as problem:
        cost = 0
        found = CheckedCopy(note=f"no copy: {problem}; install requirements/llm.txt")
    finally:
        meter.settle(model.name, cost)
    return found.model_copy(update={"cost_micro_usd": cost})


def _copied(copy: "CheckedCopy") -> str:
    """How much copy there is, whose, and what was not taken."""
    count = sum(map(len, copy.texts.values()))
    cost = f"${copy.cost_micro_usd / 1e6:.4f}"
    return f"{count} texts by {copy.model} ({cost}), {len(copy.dropped)} of its texts not taken"
