"""Which columns an import knows, and which one a header of somebody's file means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from helpdesk.clients.import_models import ImportKind
from helpdesk.ext import LANGUAGES
from helpdesk.fields import Field
from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import fold

PROFILE = "profile."


@dataclass(frozen=True)
class Column:
    """A column that is understood. `label` is a msgid, a profile field's is its own.

    `names`: further headers that mean it; `many`: several columns of a file may be it.
    """

    key: str
    label: str
    names: tuple[str, ...] = ()
    many: bool = False
    needed: bool = False


_TAGS = ("tag", "метки", "метка", "мітки", "мітка", "теги", "тег", "labels", "категория")
_PRODUCT = ("product", "товар", "продукт", "модель", "model", "sku", "артикул", "изделие", "виріб")
_STATUS = ("status", "статус", "состояние", "стан", "order status", "статус заказа")
_AMOUNT = ("sum", "total", "сумма", "сума", "итого", "разом", "всего", "усього", "вартість")
_CURRENCY = ("ccy", "валюта", "currency code", "код валюты", "код валюти")
_PAID = ("оплачено", "сплачено", "paid amount", "оплаченная сумма", "сплачена сума")
_NUMBER = ("номер", "№", "number", "no", "code", "код", "id")

CLIENTS = (
    Column("id", _lazy("Helpdesk ID"), ("helpdesk_id", "номер в helpdesk")),
    Column(
        "external_id",
        _lazy("External ID"),
        ("external_id", "client id", "customer id", "crm id", "client number", "customer number")
        + ("внешний номер", "внешний id", "зовнішній номер", "зовнішній id", "код клиента")
        + ("код клієнта", "номер клиента", "номер клієнта", "id клиента", "id клієнта", "ид")
        + ("лицевой счет", "особовий рахунок", *_NUMBER),
    ),
    Column(
        "kind",
        _lazy("Kind of client"),
        ("kind", "type", "тип", "вид", "тип клиента", "тип клієнта"),
    ),
    Column(
        "name",
        _lazy("Name"),
        ("client", "customer", "client name", "customer name", "full name", "fullname", "имя")
        + ("ім’я", "клиент", "клієнт", "фио", "піб", "ф.и.о.", "п.і.б.", "название", "назва")
        + ("наименование", "найменування", "имя клиента", "название клиента", "назва клієнта"),
        many=True,
    ),
    Column("relation", _lazy("Relation"), ("relation", "relationship", "отношение", "відношення")),
    Column(
        "potential",
        _lazy("Potential client"),
        ("potential", "prospect", "потенциальный", "потенциальный клиент", "потенційний")
        + ("потенційний клієнт",),
    ),
    Column(
        "organisation",
        _lazy("Organisation"),
        ("organization", "company", "employer", "организация", "компания", "фирма", "організація")
        + ("компанія", "фірма", "предприятие", "підприємство", "company name", "контрагент"),
    ),
    Column(
        "owner",
        _lazy("Account owner’s email"),
        ("owner", "owner email", "account owner", "manager", "менеджер", "ответственный")
        + ("відповідальний", "ответственный менеджер", "відповідальний менеджер"),
    ),
    Column("language", _lazy("Language"), ("lang", "язык", "мова", "locale")),
    Column("timezone", _lazy("Time zone"), ("timezone", "часовой пояс", "часовий пояс", "tz")),
    Column("tags", _lazy("Tags"), _TAGS, many=True),
    Column(
        "about",
        _lazy("About the client"),
        ("note", "notes", "about", "comment", "comments", "description", "заметка", "заметки")
        + ("нотатка", "нотатки", "примечание", "примітка", "комментарий", "коментар", "описание")
        + ("опис",),
    ),
    Column("person_id", _lazy("Helpdesk ID of the person")),
    Column(
        "person_external_id",
        _lazy("External ID of the person"),
        ("person external id", "contact id", "person id", "код контакта", "код контактной особи"),
    ),
    Column(
        "person",
        _lazy("Contact person"),
        ("person", "contact", "contact name", "person name", "контактное лицо", "контактна особа")
        + ("контакт", "представитель", "представник"),
    ),
    Column(
        "role",
        _lazy("Role of the person"),
        ("role", "position", "job title", "title", "должность", "посада", "роль"),
    ),
    Column("vocative", _lazy("Form of address"), ("vocative", "обращение", "звертання", "кличний")),
    Column(
        "emails",
        _lazy("Email addresses"),
        ("email", "e-mail", "mail", "email address", "почта", "пошта", "эл. почта", "ел. пошта")
        + ("электронная почта", "електронна пошта", "эл. адрес", "адрес почты"),
        many=True,
    ),
    Column(
        "phones",
        _lazy("Phone numbers"),
        ("phone", "phones", "phone number", "mobile", "telephone", "tel", "cell", "телефон")
        + ("телефоны", "телефони", "номер телефона", "номер телефону", "моб", "мобильный")
        + ("мобільний", "тел"),
        many=True,
    ),
    Column(
        "messengers",
        _lazy("Messengers"),
        ("messenger", "telegram", "viber", "whatsapp", "мессенджер", "месенджер", "телеграм"),
        many=True,
    ),
)
WHOSE = (
    Column("client_id", _lazy("Client’s helpdesk ID")),
    Column(
        "client_external_id",
        _lazy("Client’s external ID"),
        ("client external id", "client number", "customer number", "customer id", "client id")
        + ("код клиента", "код клієнта", "номер клиента", "номер клієнта", "id клиента")
        + ("id клієнта", "лицевой счет", "особовий рахунок"),
    ),
    Column(
        "client_email",
        _lazy("Client’s email"),
        ("email", "e-mail", "client email", "customer email", "почта", "пошта"),
    ),
    Column(
        "client_phone",
        _lazy("Client’s phone"),
        ("phone", "client phone", "customer phone", "телефон", "телефон клиента"),
    ),
)
PURCHASES = (
    *WHOSE,
    Column(
        "external_id",
        _lazy("Order number"),
        ("order", "order id", "order no", "purchase id", "номер заказа", "заказ", "замовлення")
        + ("номер замовлення", "external id", *_NUMBER),
        needed=True,
    ),
    Column(
        "bought_on",
        _lazy("Bought on"),
        ("date", "order date", "дата", "дата заказа", "дата замовлення", "дата покупки")
        + ("дата купівлі", "purchase date"),
    ),
    Column("status", _lazy("Order status"), _STATUS),
    Column(
        "title",
        _lazy("What was bought"),
        ("title", "name", "item", "название", "назва", "наименование", "найменування", "покупка")
        + ("позиция", "позиція", "description"),
    ),
    Column("product", _lazy("Product"), _PRODUCT),
    Column(
        "quantity", _lazy("Quantity"), ("qty", "count", "количество", "кількість", "шт", "к-во")
    ),
    Column("amount", _lazy("Amount"), _AMOUNT),
    Column("currency", _lazy("Currency"), _CURRENCY),
    Column(
        "paid_by",
        _lazy("Paid by"),
        ("payment", "payment method", "способ оплаты", "спосіб оплати", "оплата"),
    ),
)
INVOICES = (
    *WHOSE,
    Column(
        "external_id",
        _lazy("Invoice number"),
        ("invoice", "invoice id", "invoice no", "номер счета", "номер счёта", "счет", "счёт")
        + ("номер рахунку", "рахунок", "external id", *_NUMBER),
        needed=True,
    ),
    Column(
        "issued_on",
        _lazy("Issued on"),
        ("date", "invoice date", "issue date", "дата", "дата счета", "дата рахунку", "выставлен")
        + ("виставлено",),
    ),
    Column(
        "due_on",
        _lazy("Due on"),
        ("due", "due date", "pay until", "оплатить до", "сплатити до", "срок оплаты")
        + ("термін оплати", "срок", "термін"),
    ),
    Column("amount", _lazy("Amount"), _AMOUNT),
    Column("paid", _lazy("Paid amount"), ("paid", *_PAID)),
    Column(
        "paid_on",
        _lazy("Paid on"),
        ("payment date", "дата оплаты", "дата оплати", "оплачен", "сплачений"),
    ),
    Column("currency", _lazy("Currency"), _CURRENCY),
    Column(
        "cancelled",
        _lazy("Cancelled"),
        ("canceled", "void", "отменен", "отменён", "скасовано", "аннулирован", "анульовано"),
    ),
)
ITEMS = (
    *WHOSE,
    Column("id", _lazy("Item’s helpdesk ID")),
    Column(
        "external_id",
        _lazy("Item number"),
        ("item id", "external id", "инвентарный номер", "інвентарний номер", *_NUMBER),
    ),
    Column("product", _lazy("Product"), _PRODUCT),
    Column(
        "serial",
        _lazy("Serial number"),
        ("serial", "s/n", "sn", "серийный номер", "серійний номер", "зав. номер", "imei"),
    ),
    Column("batch", _lazy("Batch"), ("lot", "партия", "партія", "серия", "серія")),
    Column(
        "bought_on",
        _lazy("Bought on"),
        ("date", "purchase date", "дата", "дата покупки", "дата купівлі", "дата продажу")
        + ("дата продажи",),
    ),
    Column(
        "warranty_until",
        _lazy("Warranty until"),
        ("warranty", "гарантия", "гарантія", "гарантия до", "гарантія до", "конец гарантии"),
    ),
    Column("note", _lazy("Note"), ("notes", "comment", "примечание", "примітка", "комментарий")),
)
COLUMNS: Mapping[ImportKind, tuple[Column, ...]] = {
    ImportKind.CLIENTS: CLIENTS,
    ImportKind.PURCHASES: PURCHASES,
    ImportKind.INVOICES: INVOICES,
    ImportKind.ITEMS: ITEMS,
}
_OURS = ("id", "person_id", "client_id")  # in other systems' files these are numbers of theirs
# A name in several columns: they are joined as they stand.
_SURNAMES = frozenset({"surname", "last name", "lastname", "family name", "прізвище", "фамилия"})
_NAMES = _SURNAMES | {"first name", "firstname", "given name", "middle name", "patronymic"}
_NAMES |= {"імя", "имя", "по батькові", "отчество"}
# Headers such as "Phone (work)" or "Электронная почта 2".
_PARTS = {
    "emails": ("email", "e mail", "mail", "почта", "пошта"),
    "phones": ("phone", "mobile", "телефон", "моб", "тел"),
    "messengers": ("telegram", "viber", "whatsapp"),
}


def columns_of(kind: ImportKind, fields: Iterable[Field]) -> list[Column]:
    """What a column of this kind of file may be, clients' profile fields included."""
    own = list(COLUMNS[kind])
    if kind == ImportKind.CLIENTS:
        own += [_profile_column(one) for one in fields]
    return own


def guess(
    headers: Sequence[str], columns: Sequence[Column], labels: Mapping[str, str]
) -> dict[str, str]:
    """{header: key} of the headers whose meaning is known.

    `labels`: what pages call the columns, in all languages, with the key of each.
    """
    known: dict[str, str] = {}
    for column in columns:
        own = () if column.key in _OURS else (column.key,)
        for name in (*own, column.label, *column.names):
            known.setdefault(_plain(name), column.key)
    # What our own pages and exports say goes before what others may mean.
    known |= {_plain(column.label): column.key for column in reversed(columns)}
    known |= {_plain(label): key for label, key in labels.items()}
    many = {column.key for column in columns if column.many} - {"name"}
    found = _split_name(headers, known)
    for header in headers:
        key = known.get(_plain(header)) or _by_part(header, many)
        if key and header not in found and (key in many or key not in found.values()):
            found[header] = key
    return found


def _split_name(headers: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Surname, first name and patronymic, in a file that has no column with the whole name."""
    plain = {header: _plain(header) for header in headers}
    whole = any(known.get(text) == "name" and text not in _NAMES for text in plain.values())
    if whole or "name" not in known.values() or not _SURNAMES & set(plain.values()):
        return {}
    return {header: "name" for header, text in plain.items() if text in _NAMES}


def _profile_column(field: Field) -> Column:
    labels = tuple(str(field.labels[lang]) for lang in LANGUAGES if field.labels.get(lang))
    return Column(f"{PROFILE}{field.key}", field.label("en"), (field.key, *labels))


def _by_part(header: str, many: set[str]) -> str | None:
    plain = f" {_plain(header)}"
    fitting = (
        key
        for key, parts in _PARTS.items()
        if key in many and any(f" {part}" in plain for part in parts)
    )
    return next(fitting, None)


def _plain(text: str) -> str:
    """Small letters, digits and the number sign, single spaces between."""
    kept = (char if char.isalnum() or char == "№" else " " for char in fold(text))
    return " ".join("".join(kept).split())
