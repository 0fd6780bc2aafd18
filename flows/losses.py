"""What is expected to be lost by the roll rates of the months before, for the tables of expected losses."""

from flows._steps import step
from o2c.credit_loss import chain_losses
from o2c.run import Run
from o2c.warehouse import load_frame, read_frame


@step(name="expect losses")
def expect_losses(run: Run) -> None:
    """After the marts, before the tables of decisions: fct_expected_credit_loss shows both estimates."""
    with run.step("losses") as counts, run.open_build() as con:
        buckets = [bucket.label for bucket in run.policies.aging.buckets]
        losses = chain_losses(
            read_frame(con, "receivables.fct_roll_rates"),
            read_frame(con, "intermediate.int_losses_by_matrix"),
            run.policies.expected_loss.roll_months,
            buckets,
        )
        load_frame(con, "decided.chain_losses", losses)
        counts["dates"] = losses["as_of_date"].n_unique()
