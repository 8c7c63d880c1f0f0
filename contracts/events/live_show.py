"""What happens in and around a live show: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

_SHOW = Column(path="show.id", type="string", description="The show.", required=True, examples=("show-1041",))

CALL_IN = Event(
    type="call_in",
    version=1,
    owner="live team",
    description="A listener called in to a live show.",
    columns=(
        _SHOW,
        Column(path="call.id", type="string", description="The call.", required=True, examples=("call-88",)),
        Column(
            path="call.state",
            type="string",
            description="What happened to the call.",
            required=True,
            examples=("requested", "accepted", "declined", "ended"),
        ),
        Column(
            path="call.wait_ms",
            type="bigint",
            description="Time the caller waited, in milliseconds.",
            examples=(30500,),
        ),
        Column(
            path="call.duration_ms",
            type="bigint",
            description="Time on air, in milliseconds.",
            examples=(95000,),
        ),
    ),
)

CO_HOST = Event(
    type="co_host",
    version=1,
    owner="live team",
    description="A co-host joined or left a live show.",
    columns=(
        _SHOW,
        Column(
            path="co_host.user_id",
            type="string",
            description="The co-host.",
            required=True,
            personal=True,
            person_id=True,
            examples=("u-77aa10",),
        ),
        Column(
            path="co_host.action",
            type="string",
            description="What the co-host did.",
            required=True,
            examples=("invited", "joined", "left"),
        ),
    ),
)

POLL_VOTE = Event(
    type="poll_vote",
    version=1,
    owner="live team",
    description="A listener voted in a poll of a live show.",
    columns=(
        _SHOW,
        Column(path="poll.id", type="string", description="The poll.", required=True, examples=("poll-3",)),
        Column(
            path="poll.option_id",
            type="string",
            description="The option that was chosen.",
            required=True,
            examples=("b",),
        ),
        Column(
            path="poll.options",
            type="array<struct<id:string,label:string,votes:bigint>>",
            description="The options as the listener saw them, with the votes so far.",
            examples=([{"id": "a", "label": "Yes", "votes": 17}, {"id": "b", "label": "Não", "votes": 21}],),
        ),
    ),
)

CHAT_MESSAGE = Event(
    type="chat_message",
    version=1,
    owner="live team",
    description="A message in a live show's chat.",
    columns=(
        _SHOW,
        Column(path="message.id", type="string", description="The message.", required=True, examples=("m-4410",)),
        Column(
            path="message.text",
            type="string",
            description="What was written.",
            personal=True,
            examples=("今夜も最高！ ❤️",),
        ),
        Column(
            path="message.reply_to",
            type="string",
            description="The message that it answers.",
            examples=("m-4409",),
        ),
        Column(
            path="message.mentions",
            type="array<string>",
            description="People whom it mentions.",
            personal=True,
            examples=(["u-18f3a2"],),
        ),
    ),
)

LIKE = Event(
    type="like",
    version=1,
    owner="live team",
    description="A listener liked a live show; quick taps come as one event.",
    columns=(
        _SHOW,
        Column(
            path="like.count",
            type="int",
            description="How many taps the event stands for; absent means one.",
            examples=(3,),
        ),
    ),
)

LISTENER_COUNT = Event(
    type="listener_count",
    version=1,
    owner="live team",
    description="How many listen to a live show at one moment, as the audio service counts.",
    columns=(
        _SHOW,
        Column(
            path="listeners.current",
            type="bigint",
            description="Listeners now.",
            required=True,
            examples=(184,),
        ),
        Column(
            path="listeners.peak",
            type="bigint",
            description="Most listeners at once since the broadcast began.",
            examples=(230,),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    CALL_IN,
    CO_HOST,
    POLL_VOTE,
    CHAT_MESSAGE,
    LIKE,
    LISTENER_COUNT,
)
