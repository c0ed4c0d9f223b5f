-- The newest prediction of each target, variation and platform for some subjects of one kind.
-- @subject_kind STRING
-- @subject_ids ARRAY<STRING>
SELECT
  prediction_id, subject_kind, subject_id, variation_id, platform, target, value, low, high, band,
  confidence, model_version, features, predicted_at
FROM predictions
WHERE tenant_id = @tenant_id AND subject_kind = @subject_kind AND subject_id IN UNNEST(@subject_ids)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY subject_id, variation_id, platform, target
  ORDER BY predicted_at DESC, prediction_id DESC
) = 1
ORDER BY subject_id, variation_id, platform, target
