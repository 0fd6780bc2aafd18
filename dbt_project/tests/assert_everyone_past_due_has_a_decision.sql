-- Nobody who owes anything past due is passed over: each entity, customer and currency has a decision,
-- if only the one to leave it alone.
with
    past_due as (
        select as_of_date, entity_id, customer_id, currency_code, sum(open_amount) as past_due_amount
        from {{ ref("fct_open_items") }}
        where document_type <> 'credit_memo' and open_amount > 0 and days_past_due >= 1
        group by as_of_date, entity_id, customer_id, currency_code
    )

select past_due.*
from past_due
left join
    {{ ref("fct_dunning_decisions") }} as decisions
    on decisions.as_of_date = past_due.as_of_date
    and decisions.entity_id = past_due.entity_id
    and decisions.customer_id = past_due.customer_id
    and decisions.currency_code = past_due.currency_code
where decisions.decision is null
