"""The doctor says what is not well, and never stops at the first thing."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import pytest

import o2c.doctor
from o2c.doctor import PACKAGES, Finding, examine
from o2c.settings import Settings


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings(**({"home": tmp_path / "home"} | changes))


def found(findings: list[Finding], name: str) -> Finding:
    (one,) = (finding for finding in findings if finding.name == name)
    return one


def test_this_installation_is_well_and_everything_is_named(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path))
    assert [finding.name for finding in findings] == ["python", "o2c", *PACKAGES, "policies", "home"]
    assert [finding for finding in findings if not finding.is_well] == []
    assert found(findings, "duckdb").found == f"{version('duckdb')} (locked {version('duckdb')})"


def test_another_version_than_locked_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(o2c.doctor, "version", lambda name: "0.1" if name == "polars" else version(name))
    findings = examine(settings(tmp_path))
    assert [finding.name for finding in findings if not finding.is_well] == ["polars"]
    assert found(findings, "polars").found == f"0.1 (locked {version('polars')})"


def test_a_package_that_is_missing_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version_or_none(name: str) -> str:
        if name == "boto3":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(o2c.doctor, "version", version_or_none)
    findings = examine(settings(tmp_path))
    assert [finding.name for finding in findings if not finding.is_well] == ["boto3"]
    assert found(findings, "boto3").found == f"not installed (locked {version('boto3')})"


def test_bad_policies_and_a_bad_home_are_both_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "policies").mkdir()
    findings = examine(settings(tmp_path, home=tmp_path / "file", policies=tmp_path / "policies"))
    assert [finding.name for finding in findings if not finding.is_well] == ["policies", "home"]
    assert "cannot be used as home" in found(findings, "home").found


def test_a_ledger_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    home = found(examine(settings(tmp_path, ledger_url="sqlite:////nowhere/at/all/ledger.db")), "home")
    assert not home.is_well
    assert "the ledger cannot be opened" in home.found


@pytest.mark.parametrize(
    ("free", "is_well"), [(2**30 - 1, False), (2**30, True)], ids=["a byte less", "1 GiB"]
)
def test_less_than_a_gibibyte_free_is_not_well(
    tmp_path: Path, free: int, is_well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(o2c.doctor.shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert found(examine(settings(tmp_path)), "home").is_well is is_well
