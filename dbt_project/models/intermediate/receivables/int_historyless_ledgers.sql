-- Ledgers of which only open amounts are known: nothing can be said of their past. One row per entity_id,
-- currency_code.
with
    documents as (select * from {{ ref("int_invoices_settled") }} where is_open_items_only),
    controls as (select * from {{ ref("stg_controls") }})

select entity_id, currency_code
from documents
group by entity_id, currency_code
union all
select 'ALL' as entity_id, controls.group_currency_code as currency_code
from controls
where exists (select 1 from documents)
