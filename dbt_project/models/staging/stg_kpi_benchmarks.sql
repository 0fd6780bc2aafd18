-- Published figures with their source. One row per kpi_name.
select kpi_name, benchmark_value, benchmark_period, benchmark_source
from {{ source("policy", "kpi_benchmarks") }}
