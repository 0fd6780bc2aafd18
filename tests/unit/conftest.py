"""Builders of frames for letters and lists stand beside this file, for the tests in folders below too."""

from hypothesis import settings

# A loaded machine is no fault of the code: how long things take is measured by `make bench`.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
