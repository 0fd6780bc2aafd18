"""The home that a command is about, where the command would be no use in a fresh one."""

from o2c.home import Home, HomeError, open_home
from o2c.settings import Settings


def home_that_is_there(settings: Settings) -> Home:
    """The home of the settings, not made when it is not there: a mistyped folder has nothing to tell or to stop.

    Raises:
        HomeError: there is none, or it cannot be used.
    """
    if not (settings.home / "home.json").exists():
        raise HomeError(
            f"{settings.home.absolute()}: is no home. Nothing was done. Say which with --home or O2C_HOME;"
            " `o2c init` makes a new one."
        )
    return open_home(settings.home)
