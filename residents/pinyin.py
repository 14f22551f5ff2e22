"""
Keys by which people are sorted and found.

Sorting by collation is not used: it differs between servers, and reads surnames as words.
"""

import unicodedata

from pypinyin import Style, pinyin

from accounts.pinyin import key_of, syllables

# Surnames that dictionaries read as a common word; the reading of the surname first.
SURNAMES: dict[str, tuple[str, ...]] = {
    "万俟": ("mo qi",),
    "令狐": ("ling hu",),
    "尉迟": ("yu chi",),
    "澹台": ("tan tai",),
    "长孙": ("zhang sun",),
    "单于": ("chan yu",),
    "皇甫": ("huang fu",),
    "单": ("shan", "dan", "chan"),
    "曾": ("zeng", "ceng"),
    "仇": ("qiu", "chou"),
    "解": ("xie", "jie"),
    "尉": ("wei", "yu"),
    "查": ("zha", "cha"),
    "盖": ("ge", "gai"),
    "区": ("ou", "qu"),
    "朴": ("piao", "pu"),
    "任": ("ren",),
    "华": ("hua",),
    "纪": ("ji",),
    "缪": ("miao", "mou"),
    "乐": ("yue", "le"),
    "翟": ("zhai", "di"),
    "覃": ("qin", "tan"),
    "冼": ("xian",),
    "洗": ("xian", "xi"),
    "宓": ("fu", "mi"),
    "员": ("yun", "yuan"),
    "黑": ("he", "hei"),
    "种": ("chong", "zhong"),
    "繁": ("po", "fan"),
    "秘": ("bi", "mi"),
    "折": ("she", "zhe"),
    "召": ("shao", "zhao"),
    "能": ("nai", "neng"),
    "燕": ("yan",),
    "应": ("ying",),
    "郇": ("xun", "huan"),
    "谌": ("chen", "shen"),
    "祭": ("zhai", "ji"),
    "柏": ("bai", "bo"),
    "臧": ("zang",),
    "隗": ("wei", "kui"),
    "牟": ("mu", "mou"),
    "乜": ("nie",),
    "佴": ("nai",),
    "曲": ("qu",),
    "宁": ("ning",),
    "车": ("che",),
    "晁": ("chao",),
    "盛": ("sheng", "cheng"),
    "幺": ("yao",),
    "瞿": ("qu",),
    "行": ("xing", "hang"),
    "都": ("du", "dou"),
    "重": ("chong", "zhong"),
    "哈": ("ha",),
    "訾": ("zi",),
    "那": ("na",),
    "阚": ("kan",),
    "郗": ("xi", "chi"),
    "逄": ("pang",),
    "卜": ("bu",),
    "石": ("shi", "dan"),
    "贾": ("jia",),
    "沈": ("shen",),
}


def name_key(name: str) -> str:
    """Return the key of a person's name, with every reading of the surname."""
    if unicodedata.name(name[0], "").startswith("LATIN"):
        return key_of([syllables(name)])
    surname = next((name[:n] for n in (2, 1) if name[:n] in SURNAMES), name[:1])
    rest = syllables(name[len(surname) :])
    return key_of([[*first, *rest] for first in _readings(surname)])


def search_text(text: str) -> str:
    """Return what somebody typed as it would stand in a key; "" where it is no pinyin."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("u\u0308", "v")
    letters = "".join(c for c in plain if c.isalnum())
    return letters if letters.isascii() else ""


def _readings(surname: str) -> list[list[str]]:
    if surname in SURNAMES:
        return [reading.split() for reading in SURNAMES[surname]]
    return [[r] for r in pinyin(surname, style=Style.NORMAL, heteronym=True)[0]]
