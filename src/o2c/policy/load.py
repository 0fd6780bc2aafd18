"""Policy files → one frozen object, or one error that names every fault in every file."""

import difflib
import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from o2c.policy.base import LegalValue, PolicyError, PolicyFile
from o2c.policy.controls import ControlsPolicy
from o2c.policy.dunning import DunningPolicy
from o2c.policy.matching import MatchingPolicy, ReasonCodesPolicy
from o2c.policy.measures import ExpectedLossPolicy, KpisPolicy
from o2c.policy.plain_yaml import PlainLoader
from o2c.policy.receivables import AgingPolicy, SegmentsPolicy, TermsPolicy
from o2c.policy.recovery import AgencyPolicy, CreditPolicy, WorklistPolicy
from o2c.policy.reporting import ReportingPolicy


@dataclass(frozen=True)
class Policies:
    """Every rule the business decided, as one version."""

    dunning: DunningPolicy
    segments: SegmentsPolicy
    agency: AgencyPolicy
    credit: CreditPolicy
    matching: MatchingPolicy
    reason_codes: ReasonCodesPolicy
    worklist: WorklistPolicy
    terms: TermsPolicy
    controls: ControlsPolicy
    aging: AgingPolicy
    expected_loss: ExpectedLossPolicy
    kpis: KpisPolicy
    reporting: ReportingPolicy

    def __post_init__(self) -> None:
        for name in MODELS:
            getattr(self, name)._policy_version = self.version

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change when any value does, and not with layout, comments or order of keys."""
        content = {name: getattr(self, name).model_dump(mode="json") for name in MODELS}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def past_review(self, as_of: date) -> tuple[str, ...]:
        """Legal values whose review was due before the as-of date, as ``dunning.consumers (2027-06-30)``."""
        found = [
            f"{where} ({value.review_by})"
            for name in MODELS
            for where, value in _legal_values(getattr(self, name), name)
            if value.review_by < as_of
        ]
        return tuple(found)

    def require_reviewed(self, as_of: date, outcome: str) -> None:
        """A value that law gave is not used past the date by which somebody was to look at it again.

        Args:
            outcome: what the refusal means, such as ``nothing was run``.

        Raises:
            PolicyError: names every such value.
        """
        if overdue := self.past_review(as_of):
            raise PolicyError("\n".join([f"policies are past their review on {as_of}, {outcome}.", *overdue]))


MODELS: dict[str, type[PolicyFile]] = {
    "dunning": DunningPolicy,
    "segments": SegmentsPolicy,
    "agency": AgencyPolicy,
    "credit": CreditPolicy,
    "matching": MatchingPolicy,
    "reason_codes": ReasonCodesPolicy,
    "worklist": WorklistPolicy,
    "terms": TermsPolicy,
    "controls": ControlsPolicy,
    "aging": AgingPolicy,
    "expected_loss": ExpectedLossPolicy,
    "kpis": KpisPolicy,
    "reporting": ReportingPolicy,
}


def load_policies(folder: Path) -> Policies:
    """Read and check all policy files as a whole.

    Args:
        folder: holds one ``<name>.yml`` per policy and nothing else that ends in ``.yml`` or ``.yaml``.

    Raises:
        PolicyError: files are missing, unreadable, unknown, or have faults; the message lists all of them.
    """
    loaded: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, model in MODELS.items():
        path = folder / f"{name}.yml"
        try:
            loaded[name] = model.model_validate(read_yaml(path))
        except ValidationError as error:
            faults[str(path)] = _described(error, model)
        except PolicyError as error:
            faults[str(path)] = [str(error)]
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        if path.suffix != ".yml" or path.stem not in MODELS:
            faults[str(path)] = [f"no policy has this name; there are {', '.join(MODELS)} (.yml)"]
    if faults:
        raise PolicyError(
            "\n".join(
                f"{path}: policy not accepted, nothing was run.\n" + "\n".join(f"  {line}" for line in lines)
                for path, lines in faults.items()
            )
        )
    return Policies(**loaded)


def read_yaml(path: Path) -> object:
    """The content of one policy file: text, whole numbers, Decimal, true and false, lists and mappings.

    Raises:
        PolicyError: the file cannot be read as UTF-8 YAML, or a key stands twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), PlainLoader) or {}  # noqa: S506 (a safe loader of our own)
    except FileNotFoundError:
        raise PolicyError("the file is missing; copy it from the policies/ folder of the project") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the file cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise PolicyError(f"{where}{error.problem}") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"no YAML: {error}") from None


def _described(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line per fault: where it stands and what is wrong, with the nearest key where one was mistyped."""
    lines = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"]) or "(whole file)"
        what = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            known = _keys_at(model, fault["loc"][:-1])
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.6)
            what += f" (did you mean {near[0]}?)" if near else f" (known: {', '.join(known)})"
        lines.append(f"{where}: {what}")
    return lines


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Keys that a policy knows at a place in its file."""
    found: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, str) and found and part in found.model_fields:
            found = _model_in(found.model_fields[part].annotation)
    return list(found.model_fields) if found else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((part for part in inner if part), None)


def _legal_values(value: object, where: str) -> list[tuple[str, LegalValue]]:
    if isinstance(value, tuple):
        return [
            found for index, part in enumerate(value) for found in _legal_values(part, f"{where}.{index}")
        ]
    if not isinstance(value, BaseModel):
        return []
    own = [(where, value)] if isinstance(value, LegalValue) else []
    return own + [
        found
        for name in type(value).model_fields
        for found in _legal_values(getattr(value, name), f"{where}.{name}")
    ]
