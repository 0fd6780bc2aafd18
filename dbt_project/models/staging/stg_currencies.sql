-- Currencies and their minor units. One row per currency_code.
select currency_code, minor_units from {{ source("policy", "currencies") }}
