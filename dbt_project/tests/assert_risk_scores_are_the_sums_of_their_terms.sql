-- A risk score is the sum of its six stored terms and lies between 0 and 1.
with
    terms as (
        select as_of_date, customer_id, sum(contribution) as score, count(*) as term_count
        from {{ ref("fct_customer_risk_terms") }}
        group by as_of_date, customer_id
    )

select segments.as_of_date, segments.customer_id, segments.risk_score, terms.score, terms.term_count
from {{ ref("fct_customer_segments") }} as segments
left join terms on terms.as_of_date = segments.as_of_date and terms.customer_id = segments.customer_id
where
    terms.score is null
    or segments.risk_score <> terms.score
    or terms.term_count <> 6
    or segments.risk_score < 0
    or segments.risk_score > 1
