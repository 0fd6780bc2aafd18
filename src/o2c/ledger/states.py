"""States of a letter and the steps between them. The database refuses every other step.

``rendered``: written, nobody has looked. ``approval_pending``: waits for people. ``approved``: may leave. ``sending``:
claimed, perhaps on its way. ``unknown``: perhaps accepted by the carrier; never sent again by the machine.
``not_delivered``: the carrier took it and did not deliver it (suppressed, rejected).
"""

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "rendered": ("approval_pending", "approved", "cancelled"),
    "approval_pending": ("approved", "cancelled"),
    "approved": ("sending", "cancelled"),
    # back to approved only where the carrier certainly did not take it
    "sending": ("sent", "refused", "unknown", "approved"),
    "unknown": ("sent", "delivered", "not_delivered", "bounced", "complained", "presumed_not_sent"),
    "sent": ("delivered", "not_delivered", "bounced", "complained"),
    "delivered": ("not_delivered", "bounced", "complained"),
    "not_delivered": ("bounced", "complained"),
    "bounced": ("complained",),
    "complained": (),
    "refused": (),
    "presumed_not_sent": (),
    "cancelled": (),
}
ALL_STATES = tuple(TRANSITIONS)
FIRST_STATES = ("rendered", "approval_pending")
# After these the same letter may be tried again, under the next number.
FAILED_STATES = ("cancelled", "refused", "bounced", "not_delivered", "presumed_not_sent")
# Left, or may have left: these start the quiet days.
CONTACT_STATES = (
    "sending",
    "unknown",
    "sent",
    "delivered",
    "not_delivered",
    "bounced",
    "complained",
    "presumed_not_sent",
)
# What events say, the weakest first: the state is the strongest of what is known, in whatever order it came.
EVENT_LATTICE = ("unknown", "sent", "delivered", "not_delivered", "bounced", "complained")
