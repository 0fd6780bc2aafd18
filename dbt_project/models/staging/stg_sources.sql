-- The sources of a run. One row per source.
select source, is_open_items_only, balance_date from {{ source("raw", "sources") }}
