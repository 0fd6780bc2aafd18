"""Which format a delivered file has, and which profile it is read by."""

from collections.abc import Mapping
from pathlib import Path

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.profiles import BadProfile, BankProfile, choose, load_profile
from o2c.sources.bank.recognise import HEAD, Format, recognise
from o2c.sources.bank.table import profile_for
from o2c.sources.bank.unpack import Unpacked


def named_profile(profiles: Mapping[str, BankProfile], name: str) -> BankProfile:
    """The profile of that name, or in the YAML file of that path.

    Raises:
        BadProfile: there is none, or it cannot be used.
    """
    if name in profiles:
        return profiles[name]
    if Path(name).suffix in (".yml", ".yaml"):
        return load_profile(Path(name))
    raise BadProfile(
        f"no profile {name!r}; there are {', '.join(sorted(profiles))}, or give the path of a .yml file"
    )


def fitting(
    found: Unpacked, profiles: Mapping[str, BankProfile], chosen: BankProfile | None = None
) -> tuple[Format, BankProfile]:
    """The format of a file, and the profile to read it by: the chosen one, or the one that fits.

    A table is also found by its declared header, so that lines before the header do not hide it.

    Raises:
        RejectedFile: no format that we read, or a table that no profile declares.
    """
    head = found.stream.read(HEAD)
    found.stream.seek(0)
    try:
        form = recognise(head, found.name)
    except RejectedFile:
        if chosen and chosen.table:
            return "csv", chosen
        try:
            return "csv", profile_for(profiles, found.stream, found.name)
        except RejectedFile:
            found.stream.seek(0)
        raise
    profile = chosen or choose(profiles, head)
    if form in ("csv", "xlsx") and profile.table is None:
        profile = profile_for(profiles, found.stream, found.name)
        found.stream.seek(0)
    return form, profile
