-- Net receivables are the control account of the general ledger; a difference closes the sending gate.
{{ config(severity="warn", tags=["ties"]) }}

select
    entity_id,
    currency_code,
    balance_date,
    expected_amount as control_account_amount,
    actual_amount as net_amount
from {{ ref("int_control_accounts_compared") }}
where expected_amount <> actual_amount
