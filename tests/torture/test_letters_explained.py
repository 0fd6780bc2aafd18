"""Every letter of two mornings can be explained from what was kept, by its id and by the reference it shows."""

from whole_mornings import Morning, letters, outbox

from o2c.explain_letter import explain_letter, short_reference
from o2c.home import open_home


def test_each_letter_is_told_with_its_lines_reason_data_approval_attempt_trail_and_text(
    mornings: list[Morning],
) -> None:
    home = open_home(mornings[0].before.parent / "undisturbed")
    ids = [letter_id for letter_id, _, _, _ in letters(home.root)]
    assert len(ids) >= 20
    assert set(outbox(home.root)) <= set(ids)
    for letter_id in ids:
        story = explain_letter(home, letter_id)
        told = story.data
        (letter,) = told["letter"]
        assert story == explain_letter(home, short_reference(letter_id))
        (decision,) = told["decision"]
        assert (decision["decision"], decision["customer_id"]) == ("letter", letter["customer_id"])
        assert decision["reason"]
        (run,) = told["run"]
        assert run["known_at"]
        assert run["policy_version"] == decision["policy_version"]
        assert len({row["file_id"] for row in told["inputs"]}) > 10
        assert all(row["name"] for row in told["inputs"])
        (request,) = told["approval_request"]
        assert request["request_id"] == letter["request_id"]
        assert told["attempts"][-1]["outcome"] == "accepted"
        assert [row["after"] for row in told["audit_trail"] if row["subject"] == f"letter:{letter_id}"][
            -1
        ] == letter["state"]
        (message,) = told["message"]
        for line in told["lines"]:
            assert line["invoice_number"] in message["text"]
        assert message["subject"] in story.text()
