-- Write-offs and other changes to documents without cash. One row per adjustment_id.
select
    adjustment_id,
    invoice_id,
    adjustment_type,
    adjustment_amount,
    adjustment_date,
    reason,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "adjustments") }}
