-- The amounts of a decision are those of its open items: credit memos and the disputed part to the cent;
-- what is asked for is the undisputed part past due, all of it where nothing holds an item back, never
-- more.
with
    items as (
        select
            as_of_date,
            entity_id,
            customer_id,
            currency_code,
            sum(
                case
                    when document_type <> 'credit_memo' and open_amount > 0 and days_past_due >= 1
                    then open_amount - disputed_amount
                    else 0
                end
            ) as undisputed_amount,
            sum(
                case
                    when document_type <> 'credit_memo' and open_amount > 0 and days_past_due >= 1
                    then disputed_amount
                    else 0
                end
            ) as disputed_amount,
            sum(case when document_type = 'credit_memo' then - open_amount else 0 end) as credit_memo_amount
        from {{ ref("fct_open_items") }}
        group by as_of_date, entity_id, customer_id, currency_code
    ),

    -- Whoever has one of these may owe more than is asked for; the decisions know how much.
    held as (
        select as_of_date, customer_id
        from {{ ref("int_promises_judged") }}
        where status = 'pending'
        union
        select as_of_date, customer_id
        from {{ ref("int_plans_judged") }}
        where is_in_good_standing
        union
        select as_of_date, subject_id
        from {{ ref("int_blocks_effective") }}
        where
            scope = 'customer'
            and (valid_until is null or {{ days_between("valid_until", "as_of_date") }} <= 1)
        union
        select blocks.as_of_date, open_items.customer_id
        from {{ ref("int_blocks_effective") }} as blocks
        inner join
            {{ ref("fct_open_items") }} as open_items
            on open_items.as_of_date = blocks.as_of_date
            and open_items.invoice_id = blocks.subject_id
        where
            blocks.scope = 'invoice'
            and (
                blocks.valid_until is null
                or {{ days_between("blocks.valid_until", "blocks.as_of_date") }} <= 1
            )
        union
        select as_of_date, customer_id
        from {{ ref("fct_agency_referrals") }}
        where status = 'placed'
    )

select
    decisions.as_of_date,
    decisions.entity_id,
    decisions.customer_id,
    decisions.currency_code,
    decisions.past_due_amount,
    items.undisputed_amount,
    decisions.disputed_amount,
    items.disputed_amount as disputed_item_amount,
    decisions.credit_memo_amount,
    items.credit_memo_amount as credit_memo_item_amount
from {{ ref("fct_dunning_decisions") }} as decisions
left join
    items
    on items.as_of_date = decisions.as_of_date
    and items.entity_id = decisions.entity_id
    and items.customer_id = decisions.customer_id
    and items.currency_code = decisions.currency_code
left join held on held.as_of_date = decisions.as_of_date and held.customer_id = decisions.customer_id
where
    items.customer_id is null
    or decisions.past_due_amount > items.undisputed_amount
    or (decisions.past_due_amount < items.undisputed_amount and held.customer_id is null)
    or decisions.disputed_amount <> items.disputed_amount
    or decisions.credit_memo_amount <> items.credit_memo_amount
