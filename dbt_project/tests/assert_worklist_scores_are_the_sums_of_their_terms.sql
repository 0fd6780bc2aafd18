-- A worklist score is the sum of its stored terms, and not below 0; a row without terms has no score.
with
    terms as (
        select as_of_date, customer_id, currency_code, sum(contribution) as score
        from {{ ref("fct_worklist_terms") }}
        group by as_of_date, customer_id, currency_code
    )

select worklist.as_of_date, worklist.customer_id, worklist.currency_code, worklist.priority_score, terms.score
from {{ ref("fct_worklist") }} as worklist
left join
    terms
    on terms.as_of_date = worklist.as_of_date
    and terms.customer_id = worklist.customer_id
    and terms.currency_code = worklist.currency_code
where terms.score is null or worklist.priority_score <> greatest(terms.score, 0)
