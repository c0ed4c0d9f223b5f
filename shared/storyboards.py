"""One storyboard scored and its prediction kept; the same on the command line and over HTTP."""

from shared.app import App
from shared.domain.scoring.kept import storyboard_row
from shared.domain.scoring.storyboard import score_storyboard, signals_of, storyboard_id
from shared.score_models import Storyboard, StoryboardCard
from shared.scoring import predict


def score_and_keep(storyboard: Storyboard, app: App) -> StoryboardCard:
    """Scores and prediction of a plan; a repeat adds no second prediction of the same model."""
    scores, _ = score_storyboard(storyboard)
    prediction = predict(signals_of(storyboard), scores, app)
    card = StoryboardCard(
        storyboard_id=storyboard_id(storyboard, app.tenant_id),
        scored_at=app.now(),
        scores=scores,
        prediction=prediction,
    )
    app.tables.append("predictions", [storyboard_row(card)])
    return card
