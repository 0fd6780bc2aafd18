"""Processes that tests start are guarded, too."""

import network_guard

network_guard.install()
