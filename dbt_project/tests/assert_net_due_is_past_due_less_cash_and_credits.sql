-- net_due_amount is what it says, and the cash in it is the customer's own.
select
    decisions.as_of_date,
    decisions.entity_id,
    decisions.customer_id,
    decisions.currency_code,
    decisions.net_due_amount,
    decisions.unapplied_amount,
    coalesce(cash.unapplied_amount, 0) as unapplied_cash_amount
from {{ ref("fct_dunning_decisions") }} as decisions
left join
    {{ ref("int_unapplied_cash_summed") }} as cash using (as_of_date, entity_id, customer_id, currency_code)
where
    decisions.net_due_amount
    <> decisions.past_due_amount - decisions.unapplied_amount - decisions.credit_memo_amount
    or decisions.unapplied_amount <> coalesce(cash.unapplied_amount, 0)
