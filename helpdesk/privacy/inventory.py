"""Which columns hold personal values of clients, and what erasure leaves in their place.

Every column that can hold text is named here once; a test walks the tables and fails for one
without a decision. Events, clocks and the other tables keep ids, enums and numbers only.
"""

from collections.abc import Mapping
from typing import Any

# Rows stay for the numbers, these values are replaced.
BLANKED: Mapping[str, Mapping[str, Any]] = {
    "client": {
        "name": "",
        "sort_key": "",
        "about": "",
        "tags": [],
        "language": None,
        "timezone": None,
        "profile": {},
        "external_id": None,
        "name_key": None,
    },
    "person": {
        "name": "",
        "sort_key": "",
        "role": "",
        "vocative": None,
        "language": None,
        "timezone": None,
        "external_id": None,
    },
    "ticket": {"subject": "", "tags": []},
    "message": {
        "subject": "",
        "text": "",
        "visible_text": None,
        "html": None,
        "message_id": None,
        "in_reply_to": None,
        "parse_errors": [],
    },
    "delivery": {
        "reason": None,
        "envelope_from": None,
        "recipients": [],
        "message_id": None,
        "raw": None,
        "raw_sha256": None,
    },
    "outgoing": {
        "to_address": "",
        "reply_to": None,
        "rfc_message_id": "",
        "in_reply_to": None,
        "references": None,
        "subject": "",
        "text": "",
        "html": None,
        "last_error": None,
        "carrier_id": None,
    },
    "call": {"from_number": None, "to_number": None, "step": {}, "facts": {}, "notes": ""},
    "call_event": {"payload": {}, "answer": "", "error": None},
    "call_command": {"data": {}, "last_error": None},
    "task": {"number": None, "title": "", "outcome": "", "last_error": None},
    "rating": {"comment": ""},
    "clock_exclusion": {"reason": ""},
}

# Whole rows go; what they hold may be personal.
DELETED: Mapping[str, str] = {
    "contact_point": "value key tail alike",
    "attachment": "filename content_type content_id",
    "draft": "text",
    "notice": "key kind",
    "item": "serial serial_key batch note external_id",
    "purchase": "external_id status title currency paid_by",
    "invoice": "external_id currency",
    "client_note": "text",
    "document": "filename content_type",
    "promise": "text",
    "client_merge_change": "table column ids old new",
    "duplicate_pair": "reason",
    "portal_code": "ticket code_hash",
    "portal_session": "token_hash",
    "kb_example": "lang text digest source embedding",
    "kb_search": "lang query source visit outcome",
    "article_reading": "lang source visit",
    "report_file": "filename content_type rights",
}

# The values in them that belong to the erased are replaced wherever they stand.
SEARCHED: Mapping[str, str] = {"idempotent_answer": "body", "contract_statement": "data"}

# Never a client's: words of the product, of the administrator and of the staff, secrets, hashes.
OTHERS: Mapping[str, str] = {
    "user": "email name sort_key password_hash language timezone theme signature",
    "login_session": "token_hash user_agent",
    "api_token": "name token_hash scopes",
    "one_time_link": "token_hash",
    "limit_hit": "name subject",
    "idempotent_answer": "key request_hash",
    "queue": "name sort_key numbers",
    "mailbox": "address",
    "imap_box": (
        "address host tls username password folder after move_to trouble trouble_words claimed_by"
    ),
    "ticket": "language sla link_nonce",
    "calendar": "name timezone weekly holidays special",
    "policy": "name client_tag targets",
    "policy_step": "role",
    "ticket_viewer": "key",
    "second_factor": "nonce recovery",
    "clock": "next_step stepped paused_spans explained",
    "event": "kind data key",
    "setting": "name value",
    "stored_file": "sha256",
    "failed_reaction": "reaction error",
    "field": "key labels kind choices",
    "product": "name sort_key group sku",
    "contact_reason": "key names",
    "import_run": "kind filename reading headers mapping error worker",
    "import_problem": "column message parts",
    "import_mapping": "kind signature mapping",
    "kb_category": "key names icon",
    "article": "key source_lang tags",
    "article_text": (
        "lang slug title body_markdown body_html excerpt keywords voice_text state embedding"
    ),
    "article_version": "title body_markdown keywords voice_text state",
    "article_old_slug": "lang slug",
    "kb_index": "kind lang state analysis words",  # of examples too: made anew without them
    "kb_picture": "filename content_type",
    "citation": "lang",
    "kb_miss": "lang key query",
    "article_feedback": "visit comment",
    "delivery": "key",
    "outgoing": "key from_name from_address envelope_from language",
    "call": "provider_id token language skill",
    "call_leg": "provider_id",
    "call_event": "key kind provider_id",
    "call_command": "key kind",
    "recording": "provider_id content_type last_error",
    "task": "language",
    "presence": "number languages skills",  # of staff
    "phone_menu": "greetings choices consent",
    "voice_answer": "language",
    "team": "name sort_key",
    "report_schedule": "report query last_error",
    "alarm_rule": "name measure",
    "alarm": "comment",
    "contract_statement": "month",
}


def decided(table: str) -> set[str]:
    """The columns of a table that a decision stands for here."""
    words = " ".join(part.get(table, "") for part in (DELETED, SEARCHED, OTHERS))
    return set(words.split()) | BLANKED.get(table, {}).keys()
