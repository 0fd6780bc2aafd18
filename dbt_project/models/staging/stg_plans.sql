-- Payment plans agreed with customers. One row per plan_id.
select plan_id, customer_id, agreed_date, status, _source, _file_id, _line, _loaded_at
from {{ source("raw", "plans") }}
