"""Words too common to search for, folded as `text.fold` does."""

_ENGLISH = """
a about after all am an and any are as at be been but by can could did do does for from had has have
he her his how i if im in into is it its just me my no not of on or our she so some than that the
their them then there they this to too us was we were what when where which who why will with would
you your
"""
_RUSSIAN = """
а без был была были было быть в вам вас вы где да для до его ее если есть еще же за и из или им их к
как какая какие какой кто ли мне меня мы на над не нет ни но о об он она они от по под при с со так
также там то тоже только тут у уже чего чем что чтобы это этот эта эти я
"""
_UKRAINIAN = """
але би був була було бути ви від він вона вони воно все всі де для до є ж за з зі із і й його її їх
коли ми мене мені мій на над не ні ну оце от по при про та так також там те ти тільки то тому тут у
хто це цей ця ці чи що щоб як яка яке який які я вже
"""

BY_LANGUAGE = {
    "en": frozenset(_ENGLISH.split()),
    "ru": frozenset(_RUSSIAN.split()),
    "uk": frozenset(_UKRAINIAN.split()),
}
STOP_WORDS = frozenset(f"{_ENGLISH} {_RUSSIAN} {_UKRAINIAN}".split())
"""Of English, Russian and Ukrainian together: a query's language is seldom sure."""
