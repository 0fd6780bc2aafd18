-- Rows refused or loaded with a warning, each as often as it has reasons. One row per file_id, table_name,
-- line, reason_code.
select file_id, source, table_name, line, severity, reason_code, reason, raw_row
from {{ source("raw", "rejected_rows") }}
