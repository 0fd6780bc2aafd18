"""Where things are. No business number stands here: those are policies."""

import getpass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[2]


def _user() -> str:
    try:
        return getpass.getuser().lower()
    except (KeyError, OSError):
        return "unknown"


class SettingsError(ValueError):
    """A variable of the environment has a value that cannot be. The message names each."""


class Settings(BaseSettings):
    """Paths and names of this installation, each overridden by ``O2C_<NAME>`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="O2C_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("var"), description="folder that holds all state: landing, runs, published, ledger"
    )
    policies: Path = Field(default=PROJECT / "policies", description="folder of the policy files")
    templates: Path = Field(default=PROJECT / "templates", description="folder of the letter templates")
    dbt_project: Path = Field(default=PROJECT / "dbt_project", description="folder of the dbt project")
    ledger_url: str | None = Field(
        default=None, repr=False, description="SQLAlchemy URL; by default SQLite inside the home"
    )
    threads: int | None = Field(default=None, ge=1, description="DuckDB threads; results never depend on it")
    memory_limit: str | None = Field(default=None, description="DuckDB memory limit, such as 2GB")
    lock_wait_seconds: int = Field(default=600, ge=0, description="how long a run waits for another to end")
    runs_to_keep: int = Field(default=10, ge=1, description="build databases kept; older ones are deleted")
    sender_name: str = Field(default="Accounts Receivable", description="name that letters come from")
    sender_address: str = Field(
        default="receivables@o2c.example", description="address that letters come from"
    )
    operator: str = Field(
        default_factory=_user, description="who runs this; may not approve what it prepared"
    )
    environment: Literal["production", "test"] = Field(
        default="test", description="only production may reach people"
    )
    carrier: Literal["folder", "ses"] = Field(default="folder", description="what letters leave by")
    aws_account_id: str | None = Field(default=None, description="the only account that may send")
    aws_region: str | None = Field(default=None, description="region of SES, SQS and SMS")
    ses_configuration_set: str | None = Field(
        default=None, description="configuration set whose events we read"
    )
    ses_events_queue_url: str | None = Field(default=None, description="SQS queue of delivery events")
    ses_endpoint_url: str | None = Field(
        default=None, description="another address of SES; this machine's only"
    )
    ses_message_insights: bool = Field(
        default=False,
        description="ask SES about letters of which no event came; needs its deliverability manager",
    )
    sms_origination: str | None = Field(default=None, description="phone number or pool that SMS come from")
    reply_to: str = Field(default="receivables@o2c.example", description="monitored address for replies")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            faults = [
                f"  O2C_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
                for one in error.errors(include_url=False)
            ]
            raise SettingsError("\n".join(["settings not accepted, nothing was run.", *faults])) from None
