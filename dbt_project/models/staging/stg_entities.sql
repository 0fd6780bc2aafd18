-- Our own legal entities. One row per entity_id.
select
    entity_id,
    entity_name,
    country_code,
    currency_code,
    time_zone,
    remit_to,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "entities") }}
