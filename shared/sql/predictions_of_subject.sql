-- Every prediction made for one subject, newest first.
-- @subject_kind STRING
-- @subject_id STRING
-- @row_limit INT64
SELECT
  prediction_id, subject_kind, subject_id, variation_id, platform, target, value, low, high, band,
  confidence, model_version, features, predicted_at
FROM predictions
WHERE tenant_id = @tenant_id AND subject_kind = @subject_kind AND subject_id = @subject_id
ORDER BY predicted_at DESC, prediction_id
LIMIT @row_limit
