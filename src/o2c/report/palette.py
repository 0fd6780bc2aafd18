"""Colours of the drawings, each with what it becomes on a dark screen. Prints are light."""

# A drawing carries the light ones as attributes; the page's style turns them for dark screens, so that one drawing
# serves both. Text and lines keep a contrast of 4.5 to the ground in both.
INK, SOFT, GRID = "#26323f", "#5b6774", "#dde3ea"
MAIN, SECOND = "#1f5a8c", "#7f95aa"
BENCHMARK, TARGET = "#8a5a00", "#1b7a4a"
DOWN, UP = "#b5562e", "#3d7f68"
EXPECTED = "#bccbda"
# Aging buckets, youngest first: what is not due is calm, what is late gets warmer and darker.
BUCKETS = ("#a9b9c9", "#efcf8e", "#dfa052", "#c06a2c", "#86281f")

DARK = {
    INK: "#e4e9ef",
    SOFT: "#a4b0bd",
    GRID: "#39434f",
    MAIN: "#6db1ea",
    SECOND: "#8798a9",
    BENCHMARK: "#e0b04f",
    TARGET: "#58c48b",
    DOWN: "#e08a5f",
    UP: "#6fbf9f",
    EXPECTED: "#4c5f73",
    BUCKETS[0]: "#5d7186",
    BUCKETS[1]: "#a8873f",
    BUCKETS[2]: "#c88a3c",
    BUCKETS[3]: "#dc7a3a",
    BUCKETS[4]: "#e8574a",
}
