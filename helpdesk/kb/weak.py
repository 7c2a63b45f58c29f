"""Words that say little about what a question is about, folded as `text.fold` does.

A small base holds too few texts to see by itself that "want" or "today" is common in speech, so
these count a part of what they otherwise would. The first lists hold words that are never the
topic (they are left out unless nothing else was asked), the second ones words that seldom are.
"""

from helpdesk.lib.text import fold

_IDLE_EN = """
onto upon into within during via per etc ie eg re
hi hello hey dear please pls plz thanks thank thx sorry good morning evening afternoon
guys folks sir madam team ok okay well oh hmm uh lol omg wtf btw also just really very much quite
im ive id ill dont doesnt didnt cant cannot wont isnt arent wasnt havent hasnt hadnt couldnt
shouldnt wouldnt whats hows wheres whens whos thats theres its youre theyre weve lets gonna wanna
gotta may might must shall should ever even still already yet again now anymore else so such those
these here both each every own same only then than too being having doing myself yourself
something anything everything nothing someone anyone everyone somebody anybody everybody whether
because since until till while though although however like kinda sort bit maybe perhaps actually
basically literally seriously honestly simply exactly kind thing things stuff way lot lots
"""
_IDLE_RU = """
во со ко обо ото изо при про ради насчет туда сюда здесь вон мол дескать ведь
когда никакой никакая никакие некоторый каждый каждая каждое каждые любой любая любое любые
здравствуйте привет добрый доброе доброго день вечер утро пожалуйста плиз спасибо благодарю
извините простите ребята люди алло ау ок ну вот блин блять черт жесть капец ужас народ девушка
очень сильно совсем просто прям прямо реально вообще вобще вообщем короче типа либо хоть хотя бы
лишь даже именно пока теперь сейчас щас тогда потом затем опять снова всегда никогда иногда
нужно надо можно нельзя должен должна должно должны могу может можете можем могут могла мог
хочу хотел хотела хочется хотим хотелось собираюсь буду будет будут будем стоит быть является
был была было были есть нету меня мне мной нас нам нами вас вам вами него нее них ним ней ними
себя себе собой свой своя свое свои своего своей моя мое мои моего моей моему моих наш наша наше
наши ваш ваша ваше ваши вашего вашей ваших этого этой этом этих этому тот та те того той том тех
такой такая такое такие такого который которая которое которые которую какого какую каком каким
куда откуда почему зачем отчего сколько насколько кого кому чему кем весь вся все всех всего
всем всю сам сама само сами один одна одно раз ничего никак никто нигде что-то кто-то что-нибудь
уже еще скажите подскажите подскажи расскажите объясните помогите помоги знаете интересует
интересно вопрос хелп че чо чё шо ли же лучше просьба будто вроде кажется видимо наверное
нет да если чтоб чтобы после перед через между около без другой другая другое другие
"""
_IDLE_UK = """
уві зо ко ото щодо задля ради туди сюди тут он мов нехай хай адже
якийсь якась якесь якісь кожен кожний кожна кожне кожні будьякий будьяка
вітаю привіт добрий добра доброго день вечір ранок будь ласка прошу дякую спасибі вибачте
перепрошую люди хлопці алло ок ну ось от блін капець жах ой ага дуже сильно зовсім просто прямо
реально взагалі коротше типу або хоча хоч б лише навіть саме поки тепер зараз щас тоді потім
знову опять завжди ніколи іноді треба потрібно потрібна потрібен потрібні можна неможна можу
може можете можемо можуть міг могла хочу хотів хотіла хочеться хочемо хотілося збираюся буду
буде будуть будемо варто слід є немає нема нас нам нами вас вам вами нього неї них ним ній ними
себе собі собою свій своя своє свої свого своєї моя моє мої мого моєї моєму моїх наш наша наше
наші ваш ваша ваше ваші вашого вашої ваших цього цієї цьому цих ця те ті того тієї тому тих
такий така таке такі такого котрий яка яке які яку якого якому яким куди звідки чому чого навіщо
скільки наскільки кого кому чому ким весь вся все всіх всього всім всю усе усі сам сама само самі
один одна одне раз нічого ніяк ніхто ніде щось хтось щонебудь вже ще скажіть підкажіть підкажи
розкажіть поясніть допоможіть допоможи знаєте цікавить цікаво питання шо чо ніби наче здається
мабуть так якщо щоби після перед через між біля без інший інша інше інші крім окрім
"""
_FAINT_EN = """
up down out off over through away around along onto run runs ran turn turns turned pick picks picked
let lets bring brings brought puts hand earth hell damn real realistic instead both hour hours
minute minutes night tonight half once four five ten next fine point matter idea rest place side
want wants wanted need needs needed get gets got getting make makes made making go goes going went
gone come comes came take takes took taken give gives gave use using used try tried trying tries
know knows say says said tell tells told see look looks looking show find ask asked keep keeps put
think thought mean means happen happens happened happening work works working let help problem
issue question possible able long day days today yesterday tomorrow week weeks month months year
years time times ago later soon new old good bad big small first last next another other one two
three right left back people person man woman guy wife husband friend mum mom dad son daughter
want possible sure correct different reason case
"""
_FAINT_RU = """
минут минуты минуту часа ночь ночью утром вечером половина пара два две двух три трех четыре пять
десять место сторона вид момент конец начало остальное точно ясно просит просят заметил решил решила
сделать делать делаю делает сделал сделала сделали получить получается идти идет пошел дать дали
дает дайте взять посмотреть смотреть глянуть видеть вижу видно найти знать знаю понять понимаю
говорит говорят сказал сказали сказать пишет писать написать написано пробовал пробую пытаюсь
использовать пользоваться работает работать проблема ситуация дело случай причина вариант способ
сегодня вчера завтра неделя недели неделю дней дня дни месяц месяца год года лет часов час время
долго быстро скоро давно назад новый новая новое старый большой маленький первый последний
следующий хороший плохой нормально правильно человек мужчина женщина муж жена мама папа сын дочь
друг подруга срочно помощь помочь
"""
_FAINT_UK = """
хвилин хвилини хвилину години ніч вночі зранку ввечері увечері половина пара два дві двох три трьох
чотири п'ять десять місце сторона вигляд момент кінець початок решта точно ясно просить просять
помітив вирішив вирішила
зробити робити роблю робить зробив зробила зробили отримати виходить йти іде йде пішов дати дали
дає дайте взяти подивитися дивитися глянути бачити бачу видно знайти знати знаю зрозуміти розумію
каже кажуть говорить сказав сказали сказати пише писати написати написано пробував пробую
намагаюся використовувати користуватися працює працювати проблема ситуація справа випадок причина
варіант спосіб сьогодні вчора завтра тиждень тижні днів дня дні місяць місяця рік року років
годин година час довго швидко скоро давно назад новий нова нове старий великий маленький перший
останній наступний хороший поганий нормально правильно людина чоловік жінка дружина мама тато
син донька друг подруга терміново допомога допомогти
"""


def _by_language(en: str, ru: str, uk: str) -> dict[str, frozenset[str]]:
    return {"en": _words(en), "ru": _words(ru), "uk": _words(uk)}


def _words(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


IDLE_WORDS = _by_language(_IDLE_EN, _IDLE_RU, _IDLE_UK)
FAINT_WORDS = _by_language(_FAINT_EN, _FAINT_RU, _FAINT_UK)
