"""What SQL needs of expected losses, benchmarks, targets and alerts, as tables of schema ``policy``."""

import polars as pl

from o2c.policy.measures import KPIS, ExpectedLossPolicy, KpisPolicy

RATIO = pl.Decimal(18, 6)


def kpi_tables(
    losses: ExpectedLossPolicy, kpis: KpisPolicy, buckets: tuple[str, ...]
) -> dict[str, pl.DataFrame]:
    """The tables loss_ratios, kpis, kpi_benchmarks, kpi_targets and kpi_controls.

    Args:
        buckets: labels of the aging buckets, youngest first; loss ratios come in their order.
    """
    ratios = [losses.loss_ratios[label] for label in buckets]
    return {
        "loss_ratios": pl.DataFrame(
            {
                "aging_bucket": list(buckets),
                "loss_numerator": [ratio.numerator for ratio in ratios],
                "loss_denominator": [ratio.denominator for ratio in ratios],
                "forward_factor": [losses.forward_factor] * len(buckets),
            },
            schema={
                "aging_bucket": pl.String,
                "loss_numerator": pl.Int64,
                "loss_denominator": pl.Int64,
                "forward_factor": RATIO,
            },
        ),
        "kpis": pl.DataFrame(
            [(order, name, kpi.unit, kpi.better) for order, (name, kpi) in enumerate(KPIS.items(), start=1)],
            schema={"kpi_order": pl.Int64, "kpi_name": pl.String, "unit": pl.String, "better": pl.String},
            orient="row",
        ),
        "kpi_benchmarks": pl.DataFrame(
            [(row.kpi, row.value, row.period, row.source) for row in kpis.benchmarks],
            schema={
                "kpi_name": pl.String,
                "benchmark_value": RATIO,
                "benchmark_period": pl.String,
                "benchmark_source": pl.String,
            },
            orient="row",
        ),
        "kpi_targets": pl.DataFrame(
            [(row.kpi, row.entity_id, row.value) for row in kpis.targets],
            schema={"kpi_name": pl.String, "entity_id": pl.String, "target_value": RATIO},
            orient="row",
        ),
        "kpi_controls": pl.DataFrame(
            {
                "cost_of_capital_ratio": [kpis.cost_of_capital_ratio],
                "shortfall_ratio": [kpis.alerts.shortfall_ratio],
                "concentration_ratio": [kpis.alerts.concentration_ratio],
                "concentration_min_customer_count": [kpis.alerts.concentration_min_customer_count],
            },
            schema={
                "cost_of_capital_ratio": RATIO,
                "shortfall_ratio": RATIO,
                "concentration_ratio": RATIO,
                "concentration_min_customer_count": pl.Int64,
            },
        ),
    }
