-- People who call customers. One row per collector_id.
select collector_id, name, email, daily_capacity, _source, _file_id, _line, _loaded_at
from {{ source("raw", "collectors") }}
