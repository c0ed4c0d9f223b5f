-- The rows that one table did not take, the latest first.
-- @table_name STRING
-- @row_limit INT64
SELECT table_name, reason, content, appended_at
FROM quarantine
WHERE tenant_id = @tenant_id AND table_name = @table_name
ORDER BY appended_at DESC, row_id
LIMIT @row_limit
