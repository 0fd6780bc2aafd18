-- Controls of the business: one row.
select group_currency_code, time_zone, country_code from {{ source("policy", "controls") }}
