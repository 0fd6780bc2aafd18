-- Amounts that customers contest. One row per dispute_id.
select
    dispute_id,
    invoice_id,
    disputed_amount,
    reason_code,
    opened_date,
    resolved_date,
    owner_email,
    product,
    site,
    carrier,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "disputes") }}
