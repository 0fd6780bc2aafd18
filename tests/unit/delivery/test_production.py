"""Which carriers an installation has: nothing reaches people without production, the account, and a real ledger."""

import os
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from sqlalchemy import Engine
from stub_ses import StubSes

from o2c.delivery.aws import CarrierError, aws_client, loopback_url
from o2c.delivery.event_queue import EventQueue, Received
from o2c.delivery.outbox import FolderCarrier
from o2c.delivery.production import OpenCarrier, open_carriers, open_queue, open_ses, whose_account
from o2c.delivery.ses import SesCarrier
from o2c.delivery.sms import SmsCarrier
from o2c.home import Home, init_home, open_home
from o2c.ledger import Ledger
from o2c.policy import load_policies
from o2c.settings import PROJECT, Settings

POLICY = load_policies(PROJECT / "policies").controls.delivery
ACCOUNT = "123456789012"
QUEUE = f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/events"
YES: dict[str, Any] = {
    "environment": "production",
    "carrier": "ses",
    "aws_account_id": ACCOUNT,
    "aws_region": "eu-central-1",
    "ses_configuration_set": "o2c",
    "ses_events_queue_url": QUEUE,
    "ses_endpoint_url": None,
    "sender_address": "receivables@bolt.test",
    "reply_to": "receivables@bolt.test",
    "sms_origination": None,
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("O2C_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Home, Engine]]:
    """An ordinary home and a simulated one, each with its ledger."""
    root = tmp_path_factory.mktemp("homes")
    found = {
        "ordinary": open_home(root / "ordinary"),
        "simulated": init_home(root / "simulated", simulated=True, auto_approve=True),
    }
    return {name: (home, Ledger(home.ledger_url).engine) for name, home in found.items()}


def says(account: str | None) -> Callable[[boto3.Session, str], str | None]:
    """What AWS would say whose credentials these are."""
    return lambda _session, _region: account


class Account:
    """An SES that says what its account allows and takes nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def limits(_: SesCarrier) -> None:
            return None

        monkeypatch.setattr(SesCarrier, "limits", limits)


def opened(
    homes: dict, name: str = "ordinary", account: str | None = ACCOUNT, **changes: Any
) -> list[OpenCarrier]:
    home, engine = homes[name]
    settings = Settings(**(YES | changes))
    return open_carriers(settings, home, engine, POLICY, with_sms=True, account_of=says(account))


def kinds(carriers: list[OpenCarrier]) -> list[tuple[type, frozenset[str] | None]]:
    return [(type(one.carrier), one.channels) for one in carriers]


FOLDER = [(FolderCarrier, None)]
SES = (SesCarrier, frozenset({"email"}))
SMS = (SmsCarrier, frozenset({"sms"}))


def test_with_every_yes_letters_leave_by_ses(homes, monkeypatch):
    Account(monkeypatch)
    (one,) = opened(homes)
    assert kinds([one]) == [SES]
    assert one.carrier.endpoint_url == "https://email.eu-central-1.amazonaws.com"  # ty: ignore[unresolved-attribute]
    assert kinds(opened(homes, sms_origination="+12065550152")) == [SES, SMS]


def test_text_messages_need_the_policy_too(homes, monkeypatch):
    Account(monkeypatch)
    home, engine = homes["ordinary"]
    settings = Settings(**(YES | {"sms_origination": "+12065550152"}))
    assert kinds(open_carriers(settings, home, engine, POLICY, account_of=says(ACCOUNT))) == [SES]


@pytest.mark.parametrize(
    ("changes", "account", "why"),
    [
        ({"environment": "test"}, ACCOUNT, "O2C_ENVIRONMENT is test, not production"),
        ({"aws_account_id": None}, None, "O2C_AWS_ACCOUNT_ID is not set to the twelve digits of an account"),
        (
            {"aws_account_id": "12345678901"},
            "12345678901",
            "O2C_AWS_ACCOUNT_ID is not set to the twelve digits",
        ),
        ({}, "210987654321", "is not the account that AWS names for the credentials"),
        ({}, None, "or AWS does not answer"),
        ({"aws_region": None}, ACCOUNT, "O2C_AWS_REGION is not set"),
        ({"ses_configuration_set": None}, ACCOUNT, "O2C_SES_CONFIGURATION_SET is not set"),
        ({"ses_events_queue_url": None}, ACCOUNT, "O2C_SES_EVENTS_QUEUE_URL is not set to a queue"),
        (
            {"ses_events_queue_url": QUEUE.replace("1234", "9999")},
            ACCOUNT,
            "O2C_SES_EVENTS_QUEUE_URL is not set",
        ),
        (
            {"ses_events_queue_url": QUEUE.replace("central", "west")},
            ACCOUNT,
            "O2C_SES_EVENTS_QUEUE_URL is not set",
        ),
        (
            {"ses_events_queue_url": QUEUE.replace("https", "http")},
            ACCOUNT,
            "O2C_SES_EVENTS_QUEUE_URL is not set",
        ),
        (
            {"sender_address": "receivables@o2c.example"},
            ACCOUNT,
            "O2C_SENDER_ADDRESS and O2C_REPLY_TO are not both",
        ),
        (
            {"reply_to": "receivables@o2c.example"},
            ACCOUNT,
            "O2C_SENDER_ADDRESS and O2C_REPLY_TO are not both",
        ),
    ],
)
def test_without_one_of_them_nothing_is_opened_and_it_says_which(homes, changes, account, why):
    with pytest.raises(CarrierError, match=why) as error:
        opened(homes, account=account, **changes)
    assert "O2C_CARRIER=folder" in str(error.value)


def test_all_that_is_missing_is_said_at_once_and_aws_is_not_asked(homes):
    def never(*_: object) -> str:
        raise AssertionError("asked")

    home, engine = homes["ordinary"]
    with pytest.raises(CarrierError) as error:
        open_carriers(Settings(carrier="ses"), home, engine, POLICY, account_of=never)
    assert str(error.value).count("\n  ") == 6


def test_a_folder_is_a_folder_whatever_else_is_set(homes):
    assert kinds(opened(homes, carrier="folder")) == FOLDER


def test_a_simulated_home_has_the_folder_alone(homes):
    assert kinds(opened(homes, "simulated")) == FOLDER
    with StubSes() as server:
        assert kinds(opened(homes, "simulated", ses_endpoint_url=server.url)) == FOLDER


def test_the_ledger_of_a_simulated_home_approves_nothing_for_people(homes, monkeypatch):
    Account(monkeypatch)
    home, _ = homes["ordinary"]
    _, played = homes["simulated"]
    with pytest.raises(CarrierError, match="O2C_LEDGER_URL is the ledger of a simulated home"):
        open_carriers(Settings(**YES), home, played, POLICY, account_of=says(ACCOUNT))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"simulated": "no"}', '{"simulated": true}'])
def test_a_ledger_beside_a_marker_that_does_not_plainly_say_no_is_one_of_a_simulation(
    homes, tmp_path, monkeypatch, ledger_file, content
):
    Account(monkeypatch)
    home, _ = homes["ordinary"]
    shutil.copy(ledger_file, tmp_path / "ledger.db")
    (tmp_path / "home.json").write_text(content)
    engine = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").engine
    with pytest.raises(CarrierError, match="simulated home"):
        open_carriers(Settings(**YES), home, engine, POLICY, account_of=says(ACCOUNT))


def test_a_stand_in_of_this_machine_needs_no_yes_and_sees_no_credentials(homes):
    with StubSes(max_send_rate=14.0) as server:
        (one,) = opened(
            homes, account=None, environment="test", ses_endpoint_url=server.url, aws_account_id=None
        )
    assert kinds([one]) == [SES]
    assert one.account is not None
    assert one.account.max_send_rate == 14.0
    client = one.carrier._client  # ty: ignore[unresolved-attribute]
    assert client._get_credentials().access_key == "loopback"


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://127.1.2.3:1/", "https://127.1.2.3:1"),
        ("http://localhost:80", "http://127.0.0.1:80"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("HTTP://LOCALHOST", "http://127.0.0.1"),
    ],
)
def test_addresses_of_this_machine(url, spelled):
    assert loopback_url(url) == spelled


@pytest.mark.parametrize(
    "url",
    [
        "", "127.0.0.1", "http://", "ftp://127.0.0.1", "file:///etc/passwd", "http://10.0.0.1", "http://0.0.0.0",
        "http://[::]", "http://[::ffff:127.0.0.1]", "http://[::ffff:10.0.0.1]", "http://169.254.169.254",
        "https://email.eu-central-1.amazonaws.com", "http://127.0.0.1@evil.example", "http://a:b@127.0.0.1",
        "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://127.0.0.1:99999",
        "http://127.0.0.1:port", "http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1",
        "http://127.0.0.1/path", "http://127.0.0.1?x", "http://127.0.0.1#@evil.example",
        "http://127.0.0.1\\@evil.example", "http://evil.example\\@127.0.0.1", "http://127.0.0.1%00.evil.example",
        "http://127.0.0.1 evil.example", "http://127。0。0。1", "http://①27.0.0.1", "http://[::1%25eth0]",
        "http://[127.0.0.1]", "//127.0.0.1", "http:/127.0.0.1", "http:///127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_plainly_of_this_machine(url):
    with pytest.raises(CarrierError, match="O2C_SES_ENDPOINT_URL: not an address of this machine"):
        loopback_url(url)


def test_the_queue_and_the_questions_need_the_same_yeses(homes):
    home, engine = homes["ordinary"]
    for settings in (
        Settings(**(YES | {"environment": "test"})),
        Settings(**(YES | {"aws_account_id": None})),
    ):
        for open_ in (open_queue, open_ses):
            with pytest.raises(CarrierError, match="letters stay approved"):
                open_(settings, home, engine, says(ACCOUNT))
    for settings in (Settings(**(YES | {"carrier": "folder"})), Settings()):
        assert open_queue(settings, home, engine, says(ACCOUNT)) is None
    assert isinstance(open_queue(Settings(**YES), home, engine, says(ACCOUNT)), EventQueue)
    played, ledger = homes["simulated"]
    assert open_queue(Settings(**YES), played, ledger, says(ACCOUNT)) is None
    assert open_ses(Settings(**YES), played, ledger, says(ACCOUNT)) is None


def test_the_queue_of_a_stand_in_is_on_this_machine_wherever_the_setting_points(homes):
    home, engine = homes["ordinary"]
    with StubSes() as server:
        server.queue.put("hello")
        settings = Settings(**(YES | {"ses_endpoint_url": server.url}))
        queue = open_queue(settings, home, engine, says(None))
        assert queue is not None
        assert [one.body for one in queue.receive(0)] == ["hello"]


@mock_aws
def test_aws_is_asked_whose_credentials_these_are():
    assert whose_account(boto3.Session(), "eu-central-1") == ACCOUNT


def test_credentials_that_nobody_knows_are_nobodys(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert whose_account(boto3.Session(), "eu-central-1") is None


@mock_aws
def test_another_model_of_the_queue_is_read_the_same():
    client = aws_client("sqs", "eu-central-1", timedelta(seconds=5))
    url = client.create_queue(QueueName="events")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="one")
    queue = EventQueue(client, url)

    assert not queue.is_empty()
    (found,) = queue.receive(0)
    assert (found.body, queue.receive(0), queue.is_empty()) == ("one", [], False)
    queue.delete([Received(found.handle, found.body)])
    assert queue.is_empty()


CHOICES: dict[str, list[Any]] = {
    "environment": ["production", "test"],
    "carrier": ["folder", "ses", "ses", "ses"],
    "aws_account_id": [ACCOUNT, ACCOUNT, "210987654321", None, "", "x" * 12],
    "aws_region": ["eu-central-1", "eu-central-1", "us-east-1", None],
    "ses_configuration_set": ["o2c", "o2c", None, ""],
    "ses_events_queue_url": [
        QUEUE,
        QUEUE,
        QUEUE.replace(ACCOUNT, "210987654321"),
        None,
        "http://127.0.0.1/1/q",
    ],
    "ses_endpoint_url": [
        None,
        None,
        None,
        "LOCAL",
        "https://email.eu-central-1.amazonaws.com",
        "http://10.0.0.1",
        "",
    ],
    "sender_address": ["receivables@bolt.test", "receivables@bolt.test", "receivables@o2c.example"],
    "reply_to": ["receivables@bolt.test"],
    "sms_origination": [None, "+12065550152"],
}


def test_of_a_thousand_configurations_only_those_with_every_yes_could_reach_anybody(homes, monkeypatch):
    """G22. What could reach people is a client whose address is not of this machine."""
    Account(monkeypatch)
    made: dict[tuple[str, str], Any] = {}
    real = boto3.Session.client

    def once(session: boto3.Session, service: str, **options: Any) -> Any:
        key = (service, options.get("endpoint_url") or options["region_name"])
        if key not in made:
            made[key] = real(session, service, **options)
        return made[key]

    monkeypatch.setattr(boto3.Session, "client", once)
    session = boto3.Session()  # takes longer to make than all the rest of a configuration
    monkeypatch.setattr(boto3, "Session", lambda: session)
    count = int(os.environ.get("O2C_CONFIGURATIONS", "1000"))
    reached = refused = files = stand_ins = 0
    for seed in range(count):
        draw = random.Random(seed)  # noqa: S311
        chosen = {name: draw.choice(values) for name, values in CHOICES.items()}
        if chosen["ses_endpoint_url"] == "LOCAL":
            chosen["ses_endpoint_url"] = f"http://127.0.0.1:{draw.randint(1024, 1030)}"
        elif draw.random() < 0.2:
            chosen = dict(YES)
        names = draw.choice(
            [("ordinary", "ordinary")] * 3 + [("ordinary", "simulated"), ("simulated", "simulated")]
        )
        account = draw.choice([ACCOUNT, ACCOUNT, "210987654321", None])
        home, engine = homes[names[0]][0], homes[names[1]][1]
        yeses = (
            chosen["environment"] == "production",
            account == chosen["aws_account_id"] == ACCOUNT,
            names == ("ordinary", "ordinary"),
        )
        try:
            carriers = open_carriers(
                Settings(**chosen), home, engine, POLICY, with_sms=True, account_of=says(account)
            )
        except CarrierError:
            refused += 1
            continue
        for one in (one.carrier for one in carriers):
            if isinstance(one, FolderCarrier):
                files += 1
            elif one.endpoint_url.startswith("http://127.0.0.1:"):  # ty: ignore[unresolved-attribute]
                stand_ins += 1
                assert chosen["ses_endpoint_url"].startswith("http://127.0.0.1:")
            else:
                reached += 1
                assert all(yeses), (seed, chosen, account, names)
                assert chosen["carrier"] == "ses"

    assert min(reached, refused, files, stand_ins) > count // 50, (reached, refused, files, stand_ins)
    assert reached < count // 2
