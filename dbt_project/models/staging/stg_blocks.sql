-- Reasons not to write to a customer or about an invoice. One row per block_id.
select
    block_id,
    scope,
    subject_id,
    kind,
    valid_from,
    valid_until,
    reason,
    set_by,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "blocks") }}
