-- Every debit item more than 90 days past due is listed, proposed or with what it fails; nothing younger
-- is.
with
    items as (
        select as_of_date, invoice_id, installment_number, open_amount, days_past_due
        from {{ ref("fct_open_items") }}
        where document_type <> 'credit_memo' and open_amount > 0 and days_past_due > 90
    )

select
    coalesce(items.as_of_date, referrals.as_of_date) as as_of_date,
    coalesce(items.invoice_id, referrals.invoice_id) as invoice_id,
    items.open_amount,
    items.days_past_due,
    referrals.referred_amount,
    referrals.days_past_due as referred_days_past_due
from items
full outer join
    {{ ref("fct_agency_referrals") }} as referrals
    on referrals.as_of_date = items.as_of_date
    and referrals.invoice_id = items.invoice_id
    and referrals.installment_number = items.installment_number
where
    items.invoice_id is null
    or referrals.invoice_id is null
    or items.days_past_due <> referrals.days_past_due
    or referrals.referred_amount > items.open_amount
