-- How soon and how well invoices were made in the last days (policies/reporting.yml: process.window_days).
-- One row per as_of_date, entity_id, currency_code that invoiced anything in them.
with
    invoices as (select * from {{ ref("int_invoices_checked") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    counted as (
        select
            invoices.as_of_date,
            invoices.entity_id,
            invoices.currency_code,
            sum(invoices.invoice_amount) as invoiced_amount,
            count(*) as invoice_count,
            count(invoices.days_shipped_to_invoiced) as shipped_count,
            sum(invoices.days_shipped_to_invoiced) as days_shipped_to_invoiced,
            count(invoices.days_delivered_to_invoiced) as delivered_count,
            sum(invoices.days_delivered_to_invoiced) as days_delivered_to_invoiced,
            count(invoices.days_invoiced_to_sent) as sent_count,
            sum(invoices.days_invoiced_to_sent) as days_invoiced_to_sent,
            count(
                case when invoices.days_shipped_to_invoiced > policy.late_invoicing_days then 1 end
            ) as late_invoiced_count,
            count(case when invoices.is_po_number_missing then 1 end) as missing_po_number_count,
            count(case when invoices.is_terms_missing then 1 end) as missing_terms_count,
            count(case when invoices.is_contact_missing then 1 end) as missing_contact_count,
            count(case when invoices.is_corrected then 1 end) as corrected_count,
            count(case when invoices.is_rebilled then 1 end) as rebilled_count,
            count(
                case
                    when
                        invoices.is_po_number_missing
                        or invoices.is_terms_missing
                        or invoices.is_contact_missing
                        or invoices.is_corrected
                    then 1
                end
            ) as faulty_count
        from invoices
        cross join policy
        group by invoices.as_of_date, invoices.entity_id, invoices.currency_code
    )

select
    as_of_date,
    entity_id,
    currency_code,
    {{ money("invoiced_amount") }} as invoiced_amount,
    {{ ratio("days_shipped_to_invoiced", "shipped_count") }} as average_days_shipped_to_invoiced,
    {{ ratio("days_delivered_to_invoiced", "delivered_count") }} as average_days_delivered_to_invoiced,
    {{ ratio("days_invoiced_to_sent", "sent_count") }} as average_days_invoiced_to_sent,
    {{ ratio("late_invoiced_count", "shipped_count") }} as late_invoiced_ratio,
    {{ ratio("missing_po_number_count", "invoice_count") }} as missing_po_number_ratio,
    {{ ratio("missing_terms_count", "invoice_count") }} as missing_terms_ratio,
    {{ ratio("missing_contact_count", "invoice_count") }} as missing_contact_ratio,
    {{ ratio("corrected_count", "invoice_count") }} as corrected_ratio,
    {{ ratio("rebilled_count", "invoice_count") }} as rebilled_ratio,
    {{ ratio("invoice_count - faulty_count", "invoice_count") }} as faultless_ratio,
    invoice_count,
    shipped_count,
    late_invoiced_count,
    missing_po_number_count,
    missing_terms_count,
    missing_contact_count,
    corrected_count,
    rebilled_count
from counted
