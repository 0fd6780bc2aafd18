"""What leaves the warehouse says who reads it."""

from flows import _dbt


def test_every_mart_has_a_consumer_and_every_consumer_an_owner() -> None:
    manifest = _dbt._manifest("build", ())
    exposures = manifest.exposures.values()
    read = {name for exposure in exposures for name in exposure.depends_on.nodes}
    marts = {
        name
        for name, node in manifest.nodes.items()
        if node.resource_type == "model" and node.original_file_path.startswith("models/marts/")
    }
    assert marts == read
    assert [
        exposure.name for exposure in exposures if not (exposure.owner.name and exposure.owner.email)
    ] == []
