"""Headless. Initial consonants of Hangul: ``ㅎㄱ`` finds 학교 and 한강."""

from __future__ import annotations

from functools import cache

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
FIRST_SYLLABLE, LAST_SYLLABLE = 0xAC00, 0xD7A3
SYLLABLES_PER_INITIAL = 588  # 21 vowels × 28 endings, in the order of the code points


@cache
def _table() -> dict[int, str]:
    return {
        code: INITIALS[(code - FIRST_SYLLABLE) // SYLLABLES_PER_INITIAL]
        for code in range(FIRST_SYLLABLE, LAST_SYLLABLE + 1)
    }


def initials(text: str) -> str:
    """Each syllable by its initial consonant, all else as it is; the length stays.

    Examples
    --------
    >>> initials("합강초등학교 A")
    'ㅎㄱㅊㄷㅎㄱ A'
    """
    return text.translate(_table())


def is_initials(text: str) -> bool:
    """Whether a text asks for initial consonants: two of them at least, and no syllable."""
    letters = [c for c in text if not c.isspace()]
    return sum(c in INITIALS for c in letters) > 1 and not any("가" <= c <= "힣" for c in letters)


def contains(text: str, words: str) -> bool:
    """Whether a text contains the words, letters of either case, or has the initial consonants asked for."""
    if words.casefold() in text.casefold():
        return True
    return is_initials(words) and words.replace(" ", "") in initials(text).replace(" ", "")
