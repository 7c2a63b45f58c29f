"""The clients of the demo: private people and organisations in three languages, all invented.

A private person is a line `name | gender | vocative | town | address`; an organisation is
`* name | domain` with its people below as `name | gender | vocative | position | local part`.
Addresses are under domains that can never exist (RFC 2606).
"""

from dataclasses import dataclass

PRIVATE_DOMAINS = ("mail.example", "inbox.example", "home.example")

UKRAINIAN = """
Оксана Литвиненко | f | Оксано | Київ | oksana.lytvynenko
Сергій Мельник | m | Сергію | Львів | s.melnyk
Єва Ґалаґан | f | Єво | Полтава | eva.galagan
Ігор Шевчук | m | Ігорю | Вінниця | ihor.shevchuk
Наталія Бондаренко | f | Наталіє | Черкаси | nata.bondarenko
Юрій Їжакевич | m | Юрію | Київ | yizhak
Марія Савчук | f | Маріє | Тернопіль | maria.savchuk
Андрій Кравець | m | Андрію | Луцьк | a.kravets
Тетяна Олійник | f | Тетяно | Житомир | tetiana.oliinyk
Богдан Романюк | m | Богдане | Івано-Франківськ | bohdan.romaniuk
Ольга Ткаченко | f | Ольго | Чернігів | olha.tkachenko
Василь Дем’яненко | m | Василю | Ужгород | v.demianenko
Ірина Поліщук | f | Ірино | Рівне | iryna.p
Дмитро Гончар | m | Дмитре | Дніпро | d.honchar
Софія Яремчук | f | Софіє | Чернівці | sofia.yaremchuk
Максим Зінченко | m | Максиме | Суми | maksym.z
Катерина Щербань | f | Катерино | Київ | k.shcherban
Ярослав Климчук | m | Ярославе | Хмельницький | ya.klymchuk
Зоряна Павлів | f | Зоряно | Львів | zoriana.pavliv
* ТОВ «Затишна оселя» | oselya.example
Людмила Кириленко | f | Людмило | головний бухгалтер | buh
Роман Стеценко | m | Романе | закупівлі | roman.stetsenko
Павло Іваненко | m | Павле | директор | director
* Готель «Під липами» | lypy.example
Галина Вовк | f | Галино | адміністраторка | reception
Олег Савченко | m | Олеже | інженер | tech
* Школа № 12, м. Біла Церква | school12.example
Валентина Мороз | f | Валентино | завідувачка господарства | gospodar
* ФОП Коваль Р. О. | koval-servis.example
Руслан Коваль | m | Руслане | власник | ruslan
* Кав’ярня «Їжа і ґречність» | yizha.example
Ганна Єрмоленко | f | Ганно | керуюча | hanna
Тарас Лисенко | m | Тарасе | бариста | taras
* Клініка «Здорові діти» | zdorovi.example
Лариса Чумак | f | Ларисо | бухгалтер | finance
Микола Ревуцький | m | Миколо | завгосп | m.revutskyi
* ОСББ «Сонячне» | sonyachne.example
Степан Захарчук | m | Степане | голова правління | golova
"""

RUSSIAN = """
Ольга Сергеева | f | Ольго | Одесса | olga.sergeeva
Алексей Орлов | m | Олексію | Харьков | a.orlov
Светлана Жукова | f | Світлано | Запорожье | svetlana.zhukova
Виктор Климов | m | Вікторе | Днепр | v.klimov
Анна Белова | f | Анно | Одесса | anna.belova
Евгений Соколов | m | Євгене | Николаев | e.sokolov
Марина Фёдорова | f | Марино | Киев | m.fedorova
Павел Никитин | m | Павле | Харьков | pavel.nikitin
Елена Воронцова | f | Олено | Херсон | elena.v
Артём Зайцев | m | Артеме | Киев | artem.zaytsev
Людмила Крылова | f | Людмило | Кривой Рог | l.krylova
Игорь Панов | m | Ігорю | Сумы | igor.panov
Дарья Ершова | f | Дар’є | Одесса | dasha.ershova
Константин Ильин | m | Костянтине | Днепр | k.ilin
* ООО «Морской бриз» | briz-hotel.example
Нина Аркадьева | f | Ніно | управляющая | office
Глеб Тимофеев | m | Глібе | главный инженер | engineer
* Пекарня «Тёплый хлеб» | teplyhleb.example
Вера Кузнецова | f | Віро | владелица | vera
Олег Стрельцов | m | Олеже | технолог | oleg
* ЧП «Строймонтаж-Юг» | stroymontazh.example
Андрей Чернов | m | Андрію | прораб | a.chernov
Инна Полякова | f | Інно | бухгалтер | buh
* Фитнес-клуб «Энергия» | energia-fit.example
Роман Лебедев | m | Романе | администратор | admin
* Кафе «Два капитана» | dvakapitana.example
Жанна Рябова | f | Жанно | директор | zhanna
Тимур Асланов | m | Тимуре | шеф-повар | chef
"""

ENGLISH = """
Emma Whitfield | f |  | Kyiv | emma.whitfield
James O’Connor | m |  | Lviv | j.oconnor
Sofia Marchetti | f |  | Kyiv | sofia.marchetti
Daniel Becker | m |  | Odesa | daniel.becker
Aisha Rahman | f |  | Kharkiv | aisha.r
Tom Lindqvist | m |  | Kyiv | tom.lindqvist
Chloe Martin | f |  | Lviv | chloe.martin
Ravi Menon | m |  | Dnipro | ravi.menon
Hannah Doyle | f |  | Kyiv | hannah.doyle
George Achterberg | m |  | Odesa | g.achterberg
* Northgate Hostels Ltd | northgate-hostels.example
Peter Vance | m |  | operations manager | peter.vance
Laura Simmons | f |  | accounts payable | accounts
* Bluebird Language School | bluebird.example
Michelle Tran | f |  | office manager | office
* Harbour & Finch LLP | harbourfinch.example
Oliver Grant | m |  | partner | o.grant
Beatrice Cole | f |  | facilities | facilities
* Meridian Clinic | meridian-clinic.example
Samuel Osei | m |  | head of finance | finance
Irene Novak | f |  | receptionist | reception
* Copperfield Studios | copperfield.example
Grace Holloway | f |  | producer | grace
"""

TEXTS = {"uk": UKRAINIAN, "ru": RUSSIAN, "en": ENGLISH}
CAPITALS = {"uk": "Київ", "ru": "Киев", "en": "Kyiv"}


@dataclass(frozen=True)
class Somebody:
    """One person with what their messages need."""

    name: str
    feminine: bool
    vocative: str | None
    role: str
    town: str
    email: str

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


@dataclass(frozen=True)
class Household:
    """One client: a private person (no `organisation`) or an organisation with its people."""

    language: str
    organisation: str | None
    people: tuple[Somebody, ...]


def households() -> list[Household]:
    """All clients, by language, private people first."""
    return [one for language, text in TEXTS.items() for one in _read(language, text)]


def _read(language: str, text: str) -> list[Household]:
    found: list[Household] = []
    organisation, domain = "", ""
    for n, line in enumerate(filter(None, text.splitlines())):
        parts = [part.strip() for part in line.lstrip("* ").split("|")]
        if line.startswith("*"):
            organisation, domain = parts
            found.append(Household(language, organisation, ()))
            continue
        name, gender, vocative, place, local = parts
        person = Somebody(
            name=name,
            feminine=gender == "f",
            vocative=vocative or None,
            role=place if organisation else "",
            town=CAPITALS[language] if organisation else place,
            email=f"{local}@{domain or PRIVATE_DOMAINS[n % len(PRIVATE_DOMAINS)]}",
        )
        if organisation:
            found[-1] = Household(language, organisation, (*found[-1].people, person))
        else:
            found.append(Household(language, None, (person,)))
    return found
