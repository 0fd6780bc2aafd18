-- Whom to write to at a customer. One row per contact_id.
select
    contact_id,
    customer_id,
    role,
    name,
    email,
    phone,
    language_code,
    sms_consent,
    valid_from,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "contacts") }}
