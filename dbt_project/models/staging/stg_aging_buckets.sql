-- Named ranges of days past due. One row per aging_bucket.
select bucket_order, aging_bucket, from_day, to_day from {{ source("policy", "aging_buckets") }}
