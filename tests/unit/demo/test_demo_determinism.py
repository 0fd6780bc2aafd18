import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from demo_files import read

from o2c.contract import TABLES
from o2c.demo import generate, generator
from o2c.demo.draws import Draws


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_ledger(tmp_path):
    one = digests(generate(tmp_path / "one", invoices=400, seed=7).folder)
    again = digests(generate(tmp_path / "again", invoices=400, seed=7).folder)
    other = digests(generate(tmp_path / "other", invoices=400, seed=8).folder)
    assert set(one) == {f"{table}.csv" for table in TABLES}
    assert one == again
    assert one["invoices.csv"] != other["invoices.csv"]


def test_the_size_of_a_chunk_changes_no_row(tmp_path, monkeypatch):
    whole = generate(tmp_path / "whole", invoices=1_500, seed=3).folder
    monkeypatch.setattr(generator, "CHUNK_INVOICES", 90)
    parts = generate(tmp_path / "parts", invoices=1_500, seed=3).folder
    for table in TABLES:
        one, other = ((folder / f"{table}.csv").read_text().splitlines() for folder in (whole, parts))
        assert sorted(one) == sorted(other), table


def test_the_number_of_threads_and_the_hash_seed_change_no_byte(tmp_path):
    script = (
        "import sys; from pathlib import Path; from o2c.demo import generate;"
        "generate(Path(sys.argv[1]), invoices=1500, seed=3)"
    )
    found = []
    for threads in ("1", "4"):
        folder = tmp_path / threads
        environment = {**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": threads}
        subprocess.run([sys.executable, "-c", script, str(folder)], check=True, env=environment)
        found.append(digests(folder))
    assert found[0] == found[1]


def test_parquet_holds_the_same_rows_as_csv(tmp_path):
    text = generate(tmp_path / "text", invoices=300, seed=2).folder
    typed = generate(tmp_path / "typed", invoices=300, seed=2, file_format="parquet").folder
    for table in TABLES:
        rows = pl.read_parquet(typed / f"{table}.parquet")
        assert rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ") == (text / f"{table}.csv").read_text()


def test_a_draw_is_splitmix64_of_its_counter():
    def splitmix(counter: int, key: int) -> float:
        word = (1 << 64) - 1
        mixed = (counter * 0x9E3779B97F4A7C15 + key) & word
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & word
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & word
        return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53

    key = int.from_bytes(hashlib.sha256(b"5|x").digest()[:8], "big")
    counters = [0, 1, 2**31, 2**40 + 17]
    drawn = pl.DataFrame({"n": counters}).select(Draws(5).uniform("x", "n")).to_series().to_list()
    assert drawn == [splitmix(counter, key) for counter in counters]


def test_as_many_invoices_come_out_as_were_asked_for(tmp_path):
    for invoices in (200, 201, 777):
        folder = generate(tmp_path / str(invoices), invoices=invoices, seed=1).folder
        ids = {row["invoice_id"] for row in read(folder, "invoices") if row["document_type"] != "credit_memo"}
        assert len(ids) == invoices


def test_all_faults_of_the_arguments_are_named_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"at least 200.*customers is 5"):
        generate(tmp_path / "x", invoices=10, seed=1, customers=5)
    with pytest.raises(ValueError, match="no such file format"):
        generate(tmp_path / "x", invoices=200, seed=1, file_format="xlsx")
    assert not (tmp_path / "x").exists()
