"""What is told of the addresses of webhooks: a part of ``operations``."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.api.openapi.causes import COMMAND, READ, SEMANTIC
from handlers.api.openapi.operation import WEBHOOKS, GoodAnswer, Operation
from handlers.mediatype import JSON

__all__ = ["WEBHOOK_OPERATIONS"]

WEBHOOK_OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("api-webhooks", "GET"): Operation(
        id="listWebhooks",
        group=WEBHOOKS,
        title="List the webhooks, the newest first",
        answers={200: GoodAnswer("All webhooks.", "Webhooks")},
        codes=READ,
    ),
    ("api-webhooks", "POST"): Operation(
        id="makeWebhook",
        group=WEBHOOKS,
        title="Make a webhook",
        words="It is told of all changes that come after the answer.",
        answers={201: GoodAnswer("The webhook, with its secret.", "MadeWebhook", ("Location",))},
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "WebhookBody"},
    ),
    ("api-webhook", "GET"): Operation(
        id="readWebhook",
        group=WEBHOOKS,
        title="Read a webhook",
        answers={200: GoodAnswer("It, without its secret.", "Webhook")},
        codes=READ,
    ),
    ("api-webhook", "PATCH"): Operation(
        id="changeWebhook",
        group=WEBHOOKS,
        title="Change a webhook, or switch it on or off",
        words="What is not named stays as it is.",
        answers={200: GoodAnswer("The webhook as it is then.", "Webhook")},
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "WebhookChange"},
    ),
    ("api-webhook", "DELETE"): Operation(
        id="deleteWebhook",
        group=WEBHOOKS,
        title="Delete a webhook with its messages and its log",
        answers={204: GoodAnswer("It is gone.")},
        codes=(*COMMAND, "wrong_state"),
    ),
    ("api-webhook-rotate", "POST"): Operation(
        id="rotateWebhook",
        group=WEBHOOKS,
        title="Give a webhook a new secret",
        words="The old one signs beside it for 24 hours.",
        answers={200: GoodAnswer("The webhook, with its new secret.", "MadeWebhook")},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-webhook-test", "POST"): Operation(
        id="testWebhook",
        group=WEBHOOKS,
        title="Send a ping to a webhook",
        words="The log of deliveries says what became of it.",
        answers={202: GoodAnswer("The ping's id.", "Ordered")},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-webhook-deliveries", "GET"): Operation(
        id="listDeliveries",
        group=WEBHOOKS,
        title="Read what became of the attempts, the newest first",
        words="The newest 500 are kept.",
        answers={200: GoodAnswer("A page of attempts.", "Deliveries")},
        codes=READ,
    ),
    ("api-webhook-dead", "GET"): Operation(
        id="listDeadMessages",
        group=WEBHOOKS,
        title="Read the messages that are sent no more, the newest first",
        words="The newest 1,000 are kept.",
        answers={200: GoodAnswer("A page of dead messages.", "DeadMessages")},
        codes=READ,
    ),
    ("api-webhook-redeliver", "POST"): Operation(
        id="redeliverMessages",
        group=WEBHOOKS,
        title="Send messages at once that wait or are dead",
        words="If the webhook lacks one of the ids, the answer is a 404 that names it, and none is sent.",
        answers={202: GoodAnswer("They are due.", "Ordered")},
        codes=(*COMMAND, "invalid", SEMANTIC),
        body={JSON: "RedeliverBody"},
    ),
}
