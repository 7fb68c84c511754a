"""User text: ordinary text passes unchanged, and nothing that a terminal obeys passes at all."""
# ruff: noqa: RUF001 (many scripts on purpose)

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.names import fold
from chatroom.text import clean, decode, decode_plain, is_clean, mentions

TRACE = "\N{REPLACEMENT CHARACTER}"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

ORDINARY = {
    "empty": "",
    "ascii": "".join(map(chr, range(0x20, 0x7F))),
    "braces and percents": "{x.__class__} %s %(a)s \\x1b[31m",
    "german": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
    "french, with no-break spaces": "Ça va\u202f? Dix\u00a0heures, «\u00a0œuvre\u00a0»",
    "decomposed": "cafe\u0301",
    "turkish": "İstanbul'da ılık",
    "polish": "Zażółć gęślą jaźń",
    "russian": "Съешь же ещё этих мягких французских булок",
    "greek": "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία",
    "hebrew": "דג סקרן שט בים מאוכזב",
    "arabic": "صِف خَلقَ خَودٍ كَمِثلِ الشَمسِ، ١٢٣",
    "arabic number sign": "\u0600\u0661\u0662",
    "persian, with zero-width non-joiners": "می\u200cخواهم کتاب\u200cها را",
    "urdu": "ٹھنڈ میں ایک قحط زدہ گاؤں",
    "hindi": "ऋषियों को सताने वाले दुष्ट",
    "hindi, with a zero-width non-joiner": "क्\u200cष",
    "bengali": "বাংলা ভাষা র\u200c্যাব",
    "tamil": "யாமறிந்த மொழிகளிலே",
    "thai": "เป็นมนุษย์สุดประเสริฐ",
    "khmer": "ភាសាខ្មែរ",
    "chinese": "我能吞下玻璃而不傷身體。",
    "japanese, with an ideographic space": "いろはにほへと\u3000ちりぬるを",
    "a variant of a han character": "葛\U000e0100",
    "korean": "키스의 고유조건은 입술끼리 만나야",
    "gothic": "𐌼𐌰𐌲 𐌲𐌻𐌴𐍃",
    "mathematics": "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋",
    "private use": "\ue000\U000f0000",
    "unassigned": "\u0378",
    "emoji": "😀🎉\u2764\ufe0f",
    "skin tone": "👍🏽",
    "keycap": "1\ufe0f\u20e3",
    "flags": "🇩🇪🇯🇵",
    "flag of scotland": SCOTLAND + SCOTLAND,
    "rainbow flag": "🏳\ufe0f\u200d🌈",
    "family": "👨\u200d👩\u200d👧\u200d👦",
    "profession with a skin tone": "👩🏾\u200d🚀 🧑🏻\u200d⚕\ufe0f",
    "couple": "👩\u200d\u2764\ufe0f\u200d💋\u200d👨",
    "shrug": "🤷🏼\u200d♀\ufe0f",
    "heart on fire": "\u2764\ufe0f\u200d🔥",
    "broken chain": "\u26d3\ufe0f\u200d💥",
    "polar bear": "🐻\u200d❄\ufe0f",
    "head shaking": "🙂\u200d↔\ufe0f",
    "phoenix": "🐦\u200d🔥",
    "black bird": "🐦\u200d⬛",
}

OBEYED = [
    *range(0x09), *range(0x0A, 0x20), *range(0x7F, 0xA0),
    *range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xFFF9, 0xFFFC),
    0xD800, 0xDBFF, 0xDC00, 0xDFFF,
]  # fmt: skip

UNSEEN = [
    0x00AD, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2066), *range(0x206A, 0x2070),
    0xFEFF, 0xFFF0, 0xFFF8, 0x1BCA0, 0x1BCA3, 0x1D173, 0x1D17A,
    0xE0000, 0xE0001, 0xE0020, 0xE0061, 0xE007F, 0xE0080, 0xE01F0, 0xE0FFF,
]  # fmt: skip

NOTABLE = st.sampled_from(
    [chr(code) for code in OBEYED + UNSEEN]
    + list("\t ab🏴👨🏽♀\u2764\ufe0fمیक्\u0600\u3000\ue000" + SCOTLAND)
    + [SCOTLAND, "👨\u200d👩", "ی\u200cخ"]
)
RAW = st.one_of(
    st.text(st.characters()),
    st.lists(NOTABLE).map("".join),
    st.lists(NOTABLE | st.characters()).map("".join),
)


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert clean(text) == text
    assert is_clean(text)
    assert decode(text.encode()) == text


@pytest.mark.parametrize("code", OBEYED, ids="U+{:04X}".format)
def test_what_a_terminal_obeys_leaves_a_trace(code: int) -> None:
    assert clean(f"a{chr(code)}b") == f"a{TRACE}b"
    assert clean(f"ü{chr(code)}") == f"ü{TRACE}"
    assert not is_clean(chr(code))


@pytest.mark.parametrize("code", UNSEEN, ids="U+{:04X}".format)
def test_what_shows_nothing_is_dropped(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "ab"
    assert clean(chr(code)) == ""
    assert not is_clean(chr(code))


def test_a_tab_is_one_space() -> None:
    assert clean("a\tb\t\tc") == "a b  c"


def test_terminal_sequences_are_left_standing_as_text() -> None:
    assert clean("\x1b[31mred\x1b[0m") == f"{TRACE}[31mred{TRACE}[0m"
    assert clean("\x1b]0;title\x07") == f"{TRACE}]0;title{TRACE}"
    assert clean("\x9b2J") == f"{TRACE}2J"


def test_a_line_end_inside_a_line_cannot_start_another() -> None:
    assert clean("hi\r\n<root> pwned\r") == f"hi{TRACE}{TRACE}<root> pwned{TRACE}"


def test_an_override_cannot_turn_text_around() -> None:
    assert clean("\u202egnp.exe\u202c") == f"{TRACE}gnp.exe{TRACE}"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u200db", "ab"),
        ("\u200d👧", "👧"),
        ("👨\u200d", "👨"),
        ("👨\u200d\u200d👧", "👨👧"),
        ("👨\u200da", "👨a"),
        ("a\u200d👧", "a👧"),
        ("👨\u200d\ufe0f👧", "👨\ufe0f👧"),
        ("👨\u200b\u200d👧", "👨👧"),
        ("ක්\u200dර", "ක්ර"),
    ],
)
def test_a_joiner_stays_only_between_emoji(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u200cb", "ab"),
        ("می\u200c", "می"),
        ("می\u200c خ", "می خ"),
        ("\u200cمی", "می"),
        ("ی\u200c\u200cخ", "یخ"),
        ("ی\u200c\u061cخ", "یخ"),
        ("👨\u200c👧", "👨👧"),
    ],
)
def test_a_non_joiner_stays_only_inside_a_word_that_needs_it(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        SCOTLAND[:-1],
        SCOTLAND[0] + SCOTLAND[-1],
        SCOTLAND[:3] + SCOTLAND[-1],
        SCOTLAND[0] + SCOTLAND[1] * 7 + SCOTLAND[-1],
        SCOTLAND[0] + "\U000e0020" + SCOTLAND[1:],
        SCOTLAND[0] + "\u200b" + SCOTLAND[1:],
        SCOTLAND[0] + SCOTLAND[1:4] + "\u200b" + SCOTLAND[4:],
    ],
    ids=ascii,
)
def test_tags_stay_only_in_a_whole_flag(text: str) -> None:
    assert clean(text) == SCOTLAND[0]
    assert clean("a" + text[1:]) == "a"


@given(RAW)
@example("👨\u200b\u200d👧")
@example("ی\u200c\u061cخ")
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)
    assert is_clean(clean(raw))


@given(RAW)
def test_clean_text_is_one_line_with_nothing_to_obey(raw: str) -> None:
    text = clean(raw)
    assert {unicodedata.category(c) for c in text}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert not {ord(c) for c in text} & set(OBEYED)
    assert len(text.splitlines()) <= 1
    bidi = {unicodedata.bidirectional(c) for c in text}
    assert bidi.isdisjoint({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B"})


@given(RAW)
def test_what_is_unseen_stays_only_where_it_is_needed(raw: str) -> None:
    text = re.sub("\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f", "", clean(raw))
    for index, character in enumerate(text):
        if character == "\u200d":
            assert unicodedata.category(text[index - 1]) in {"So", "Sm", "Sk", "Mn", "Cn"}
            assert unicodedata.category(text[index + 1]) in {"So", "Sm", "Sk", "Cn"}
        elif character == "\u200c":
            assert "\u0620" <= text[index - 1] <= "\u0dff"
            assert "\u0620" <= text[index + 1] <= "\u0dff"
        else:
            assert ord(character) not in UNSEEN


@given(RAW)
def test_clean_text_is_never_longer_and_always_encodes(raw: str) -> None:
    text = clean(raw)
    assert len(text) <= len(raw)
    assert text.encode("utf-8").decode("utf-8") == text


@given(RAW)
def test_cleaning_keeps_all_that_can_be_seen_in_its_order(raw: str) -> None:
    gone = {chr(code) for code in UNSEEN} | {"\u200c", "\u200d"}
    assert [c for c in clean(raw) if c.isprintable() and c not in f" {TRACE}"] == [
        c for c in raw if c.isprintable() and c not in gone and c not in f" {TRACE}"
    ]


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"], include_characters=" ")))
def test_text_of_letters_digits_and_symbols_is_unchanged(text: str) -> None:
    assert clean(text) is text


@given(st.binary())
@example(b"\xff\xfe")
def test_any_bytes_decode_to_clean_text(line: bytes) -> None:
    text = decode(line)
    assert is_clean(text)
    assert len(text) <= len(line)
    text.encode("utf-8")


@given(RAW)
def test_well_formed_bytes_decode_as_their_text_is_cleaned(raw: str) -> None:
    text = raw.encode("utf-8", "replace").decode("utf-8")
    assert decode(text.encode()) == clean(text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"caf\xe9", f"caf{TRACE}"),
        (b"\xc0\xaf", TRACE * 2),
        (b"\xe2\x82", TRACE),
        (b"\xe2\x82a", f"{TRACE}a"),
        (b"\xed\xa0\x80", TRACE * 3),
        (b"\xf4\x90\x80\x80", TRACE * 4),
        (b"\xf0\x9f\x98", TRACE),
        (b"\x80", TRACE),
        (b"\xef\xbb\xbfhi", "hi"),
        (b"a\x00b", f"a{TRACE}b"),
        (b"\xc2\x9b", TRACE),
    ],
)
def test_invalid_utf8_is_replaced_by_one_policy(line: bytes, text: str) -> None:
    assert decode(line) == text


@pytest.mark.parametrize(
    "text",
    ["bob", "hi bob", "bob: hi", "BoB!", "(bob)", "@bob", "bob's", "<bob>", "x.bob.y", "bobbob bob",
     "été bob", "bobさん", "你好bob", "\u00a0bob\u3000", "bob, bob_"],
)  # fmt: skip
def test_a_whole_word_mentions_in_any_case(text: str) -> None:
    assert mentions(text, "bob")


@pytest.mark.parametrize(
    "text",
    ["", "bo", "bobby", "kabob", "bob_", "_bob", "bob-in-law", "[bob]", "bob2", "b0b", "bob|away",
     "ébob", "bobß", "жbob", "ʙᴏʙ", "b\u200bob"],
)  # fmt: skip
def test_a_part_of_a_word_does_not_mention(text: str) -> None:
    assert not mentions(text, "bob")


def test_only_ascii_case_is_folded_in_a_mention() -> None:
    assert not mentions("\u212ain", "kin")
    assert mentions("{A} and [A]", "[a]")
    assert not mentions("{A}", "[a]")


@given(st.text(), st.sampled_from(["bob", "a", "[x]", "\\", "guest-7k2"]), st.text())
def test_a_nick_between_spaces_is_always_a_mention(left: str, nick: str, right: str) -> None:
    assert mentions(f"{left} {nick.upper()} {right}", fold(nick))


# Several lines in one


PIECES = st.text(st.sampled_from("ab /é😀\t\x1b\u200d\u2028\xa0\x85\r"), min_size=1, max_size=5)
BYTES = st.binary(min_size=1, max_size=4).map(lambda line: line.replace(b"\n", b"?"))


@given(st.lists(st.one_of(PIECES.map(str.encode), BYTES, st.none()), min_size=1, max_size=4))
@example([b"a", b"b c"])
@example([b"\xc3", b"\xa9"])
def test_several_lines_are_plain_only_if_each_is_as_it_came(lines: list[bytes | None]) -> None:
    text = decode_plain(lines)
    if text is not None:
        assert text.split("\n") == [decode(line or b"").rstrip() for line in lines]
        assert text.splitlines() == text.split("\n")


def test_plain_lines_are_found_to_be_plain() -> None:
    assert decode_plain([b"hi", "Grüße 😀".encode(), b"/me"]) == "hi\nGrüße 😀\n/me"
