-- The predictions of one target made in a span of time, to be joined with what happened since.
-- @target STRING
-- @since TIMESTAMP
-- @until TIMESTAMP
-- @row_limit INT64
SELECT
  prediction_id, subject_kind, subject_id, variation_id, platform, target, value, low, high, band,
  confidence, model_version, features, predicted_at
FROM predictions
WHERE
  tenant_id = @tenant_id AND target = @target
  AND predicted_at >= @since AND predicted_at < @until
ORDER BY predicted_at, prediction_id
LIMIT @row_limit
