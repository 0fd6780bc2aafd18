-- What was said and sent. One row per activity_id.
select
    activity_id,
    customer_id,
    collector_id,
    activity_at,
    channel,
    outcome_code,
    note,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "activities") }}
