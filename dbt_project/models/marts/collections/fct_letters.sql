-- Letters decided, and how far each has come.
-- One row per letter_id.
select
    letter_id,
    batch_id,
    kind,
    entity_id,
    customer_id,
    currency_code,
    cast(level as bigint) as level,
    stage,
    occasion,
    channel,
    language_code,
    state,
    message_hash,
    cast(total_amount as decimal(18, 4)) as total_amount,
    cast(episode as bigint) as episode,
    cast(try_number as bigint) as try_number,
    cast(is_of_last_run as boolean) as is_of_last_run,
    cast(decided_as_of_date as date) as decided_as_of_date,
    cast(sent_at as timestamp with time zone) as sent_at
from {{ source("decided", "letters") }}
