"""The demo shop's privacy notice, as its administrator would write it."""

NOTICE = {
    "en": """We keep your name, your address or number and what you write to answer you.

- **Who reads it:** the colleagues who help you. We sell nothing and pass nothing on.
- **How long:** emails and forms as they came in for 90 days, recordings of calls for 180 days.
- **Your rights:** write to us for a copy of your data, or to have it put right or deleted.
""",
    "ru": """Имя, адрес или номер и то, что Вы пишете, мы храним, чтобы ответить Вам.

- **Кто это читает:** сотрудники, которые Вам помогают. Мы ничего не продаём и не передаём.
- **Как долго:** письма и формы, как они пришли, – 90 дней, записи звонков – 180 дней.
- **Ваши права:** напишите нам, чтобы получить копию своих данных, исправить или удалить их.
""",
    "uk": """Ім’я, адресу чи номер і те, що Ви пишете, ми зберігаємо, щоб відповісти Вам.

- **Хто це читає:** співробітники, які Вам допомагають. Ми нічого не продаємо й не передаємо.
- **Як довго:** листи й форми, як вони надійшли, – 90 днів, записи дзвінків – 180 днів.
- **Ваші права:** напишіть нам, щоб отримати копію своїх даних, виправити чи видалити їх.
""",
}
