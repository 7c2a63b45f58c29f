"""The contact reasons that a new installation begins with."""

from helpdesk.tickets.models import TicketKind

_Names = tuple[str, str, str]
_COMPLAINT, _QUESTION, _REQUEST = TicketKind.COMPLAINT, TicketKind.QUESTION, TicketKind.REQUEST
# (key, kind, names in the order of LANGUAGES: en, ru, uk, what stands under it)
SEEDS: tuple[
    tuple[str, TicketKind | None, _Names, tuple[tuple[str, TicketKind | None, _Names], ...]], ...
] = (
    (
        "before-purchase",
        _QUESTION,
        ("Before a purchase", "До покупки", "До покупки"),
        (
            ("choice", None, ("Choosing a product", "Выбор товара", "Вибір товару")),
            ("price", None, ("Price and discounts", "Цены и скидки", "Ціни та знижки")),
            ("stock", None, ("Availability", "Наличие", "Наявність")),
        ),
    ),
    (
        "order",
        None,
        ("Order", "Заказ", "Замовлення"),
        (
            ("status", _QUESTION, ("Order status", "Состояние заказа", "Стан замовлення")),
            ("change", _REQUEST, ("Change an order", "Изменить заказ", "Змінити замовлення")),
            ("cancel", _REQUEST, ("Cancel an order", "Отменить заказ", "Скасувати замовлення")),
        ),
    ),
    (
        "delivery",
        None,
        ("Delivery", "Доставка", "Доставка"),
        (
            (
                "terms",
                _QUESTION,
                ("Terms and cost", "Условия и стоимость", "Умови та вартість"),
            ),
            ("late", _COMPLAINT, ("It is late", "Доставка опаздывает", "Доставка запізнюється")),
            (
                "damaged",
                _COMPLAINT,
                ("Damaged on the way", "Повреждено в пути", "Пошкоджено в дорозі"),
            ),
            (
                "wrong",
                _COMPLAINT,
                (
                    "Wrong or missing goods",
                    "Не тот товар или недостача",
                    "Не той товар або нестача",
                ),
            ),
        ),
    ),
    (
        "payment",
        None,
        ("Payment", "Оплата", "Оплата"),
        (
            ("how", _QUESTION, ("How to pay", "Как оплатить", "Як оплатити")),
            (
                "failed",
                _COMPLAINT,
                ("Payment did not go through", "Оплата не прошла", "Оплата не пройшла"),
            ),
            (
                "invoice",
                _REQUEST,
                ("Invoice and documents", "Счета и документы", "Рахунки й документи"),
            ),
            ("refund", _REQUEST, ("Refund", "Возврат денег", "Повернення коштів")),
        ),
    ),
    (
        "product",
        None,
        ("Product", "Товар", "Товар"),
        (
            ("use", _QUESTION, ("How to use it", "Как пользоваться", "Як користуватися")),
            ("fault", _COMPLAINT, ("It does not work", "Товар не работает", "Товар не працює")),
            (
                "quality",
                _COMPLAINT,
                ("Poor quality", "Плохое качество", "Погана якість"),
            ),
            (
                "parts",
                _REQUEST,
                ("Parts and supplies", "Запчасти и расходники", "Запчастини й витратні матеріали"),
            ),
        ),
    ),
    (
        "return",
        _REQUEST,
        ("Return and exchange", "Возврат и обмен", "Повернення та обмін"),
        (
            ("goods", None, ("Return goods", "Вернуть товар", "Повернути товар")),
            ("exchange", None, ("Exchange goods", "Обменять товар", "Обміняти товар")),
        ),
    ),
    (
        "warranty",
        None,
        ("Warranty and repair", "Гарантия и ремонт", "Гарантія та ремонт"),
        (
            ("terms", _QUESTION, ("Warranty terms", "Условия гарантии", "Умови гарантії")),
            ("repair", _REQUEST, ("Ask for a repair", "Сдать в ремонт", "Здати в ремонт")),
            ("status", _QUESTION, ("Repair status", "Состояние ремонта", "Стан ремонту")),
            (
                "again",
                _COMPLAINT,
                ("Broken after a repair", "Сломалось после ремонта", "Зламалося після ремонту"),
            ),
        ),
    ),
    (
        "account",
        None,
        ("Account and data", "Учётная запись и данные", "Обліковий запис і дані"),
        (
            ("login", _REQUEST, ("Cannot log in", "Не удаётся войти", "Не вдається увійти")),
            ("change", _REQUEST, ("Change my data", "Изменить мои данные", "Змінити мої дані")),
            (
                "privacy",
                _REQUEST,
                (
                    "Delete or send my data",
                    "Удалить или выслать данные",
                    "Видалити чи надіслати дані",
                ),
            ),
        ),
    ),
    (
        "service",
        None,
        ("Our service", "Наша работа", "Наша робота"),
        (
            ("complaint", _COMPLAINT, ("Complaint", "Жалоба", "Скарга")),
            ("idea", TicketKind.SUGGESTION, ("Suggestion", "Предложение", "Пропозиція")),
            ("thanks", TicketKind.THANKS, ("Thanks", "Благодарность", "Подяка")),
        ),
    ),
    (
        "cooperation",
        _REQUEST,
        ("Cooperation", "Сотрудничество", "Співпраця"),
        (
            ("wholesale", None, ("Wholesale", "Опт", "Опт")),
            ("supplier", None, ("Suppliers", "Поставщикам", "Постачальникам")),
            ("press", None, ("Press and advertising", "Пресса и реклама", "Преса й реклама")),
        ),
    ),
    ("other", None, ("Something else", "Другое", "Інше"), ()),
)
