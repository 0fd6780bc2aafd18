"""Steps that are Prefect tasks inside a flow run and plain functions outside of one.

So the same flow runs by schedule with retries and artifacts, and by ``o2c run`` without a server.
"""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext

from o2c.faults import keep_whole, where_it_happened
from o2c.home import Home
from o2c.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

# Waiting helps where a file share or an object store answers again later; a wrong file does not get better.
WAITING_HELPS: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [2, 4, 8],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": lambda task, run, state: _is_passing(state),
}


class StepFailed(RuntimeError):
    """A step met an error that is none of ours. The message says where, and in which file its whole text is."""


def step(**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A task without cache: what has an effect runs when it is called, and only then."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        as_task = task(cache_policy=NO_CACHE, persist_result=False, **options)(quoting_nothing(function))

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return (as_task if FlowRunContext.get() else function)(*args, **kwargs)

        return call

    return wrap


def quoting_nothing(function: Callable[P, R]) -> Callable[P, R]:
    """The function with errors of libraries told by their place alone: Prefect keeps messages in logs and states.

    Ours, and the system's about files and networks, which may pass, stay as they are.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if isinstance(error, OSError) or type(error).__module__.split(".")[0] in ("o2c", "flows"):
                raise
            given = [getattr(one, "home", one) for one in (*args, *kwargs.values())]
            root = next((one.root for one in given if isinstance(one, Home)), None)
            kept = keep_whole(error, root or Settings().home, datetime.now(UTC))
            raise StepFailed(f"{where_it_happened(error)}\nThe whole text is in {kept}.") from None

    return call


def show_markdown(key: str, text: str) -> None:
    """Leave a markdown artifact with the flow run; nothing outside of one."""
    if FlowRunContext.get():
        create_markdown_artifact(markdown=text, key=key)


def show_table(key: str, frame: pl.DataFrame, description: str) -> None:
    """Leave a table artifact with the flow run. Artifacts are JSON, so every cell becomes text."""
    if FlowRunContext.get():
        rows = frame.select(pl.all().cast(pl.String)).to_dicts()
        create_table_artifact(table=rows, key=key, description=description)


def _is_passing(state: Any) -> bool:
    """Whether the failure is of the kind that waiting can mend: the system's own, not a refusal of ours."""
    try:
        state.result()
    except (OSError, ConnectionError, TimeoutError) as error:
        return not isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError)
    except Exception:
        return False
    return False
