"""
Pinyin of names, for sorting and search, and segmentation of typed pinyin into syllables.

Collations are not used: they differ between servers, and read surnames as common words.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from types import ModuleType

_COMMON_HAN = re.compile("[\u4e00-\u9fa5]*")
_WORD = re.compile(r"[^\W_]+")


def syllables(text: str) -> list[str]:
    """Return one syllable for each Han character and each Latin word, in lower case."""
    # Most given names: at most two characters, and no word of the phrase dictionary.
    if len(text) <= 2 and _COMMON_HAN.fullmatch(text) and not _is_phrase(text):
        return [_character_pinyin(character) for character in text]
    return _text_pinyin(text)


@cache
def _dictionary() -> ModuleType:
    # Read at the first name: it takes a second, and most processes never ask.
    import pypinyin

    return pypinyin


def _is_phrase(text: str) -> bool:
    return text in _dictionary().constants.PHRASES_DICT


@lru_cache(maxsize=30_000)
def _character_pinyin(character: str) -> str:
    return "".join(_text_pinyin(character))


def _text_pinyin(text: str) -> list[str]:
    pypinyin = _dictionary()
    parts = pypinyin.lazy_pinyin(text, style=pypinyin.Style.NORMAL, v_to_u=False)
    return [word for part in parts for word in _WORD.findall(_without_tones(part))]


def _without_tones(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(_bare(c) for c in decomposed if not unicodedata.combining(c))


# Letters that Unicode does not take apart, as passports write them in plain ones (ICAO 9303).
_PLAIN_LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "þ": "th",
    "ð": "d",
    "ŋ": "ng",
    "ı": "i",
    "ə": "e",
    "ĳ": "ij",
    "ĸ": "k",
    "ɛ": "e",
    "ɔ": "o",
    "ʼ": "",
    "ŉ": "n",
}
_LETTER_WITH = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) ([A-Z]{1,3})(?: WITH .*)?")


@lru_cache(maxsize=2_000)
def _bare(character: str) -> str:
    """Return a Latin letter in plain ones; x for one that nobody could tell."""
    if character.isascii() or not _is_letter(character):
        return character
    if character in _PLAIN_LETTERS:
        return _PLAIN_LETTERS[character]
    named = _LETTER_WITH.fullmatch(unicodedata.name(character, ""))
    return named[1].lower() if named else "x"


def sort_key(readings: list[list[str]]) -> str:
    """
    Return the key for sorting and search: each reading in full and as initials.

    The first reading comes first, and so decides the order.
    """
    keys = []
    for reading in readings:
        keys += ["".join(reading), "".join(syllable[0] for syllable in reading)]
    return "|".join(dict.fromkeys(keys))


def place_key(name: str) -> str:
    """Return the key of a place's name."""
    return sort_key([syllables(name)])


# For each character, or word in Latin letters, its possible syllables, the usual one first.
Spelling = tuple[tuple[str, ...], ...]

# Surnames that dictionaries read as a common word; the reading as a surname first.
SURNAMES: dict[str, tuple[str, ...]] = {
    "万俟": ("mo qi",),
    "令狐": ("ling hu",),
    "尉迟": ("yu chi", "wei chi"),
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

# Characters of given names with two readings.
_OTHER_READINGS = """
    乐 yue le, 行 xing hang, 重 chong zhong, 长 chang zhang, 朝 chao zhao, 娜 na nuo, 茜 qian xi,
    莘 xin shen, 晟 sheng cheng, 盛 sheng cheng, 伽 jia qie, 颉 jie xie, 隽 jun juan, 焯 zhuo chao,
    柏 bai bo, 蔚 wei yu, 强 qiang jiang, 莎 sha suo, 澄 cheng deng, 露 lu lou, 薄 bo bao,
    禅 chan shan, 栖 qi xi, 翟 zhai di, 曾 zeng ceng, 解 jie xie, 朴 pu piao, 单 dan shan,
    车 che ju, 都 du dou, 谷 gu yu, 奇 qi ji, 仔 zai zi, 拓 tuo ta, 会 hui kuai, 传 chuan zhuan,
    阿 a e, 叶 ye xie, 觉 jue jiao, 还 huan hai, 藏 cang zang, 省 sheng xing, 宿 su xiu,
    识 shi zhi, 种 zhong chong, 校 xiao jiao, 亘 gen xuan, 湛 zhan chen, 沈 shen chen, 贾 jia gu
"""
OTHER_READINGS = {
    character: also for character, *also in map(str.split, _OTHER_READINGS.split(","))
}


# Every syllable of Mandarin without its tone; ü is v.
SYLLABLES = frozenset(
    """
    a ai an ang ao ba bai ban bang bao bei ben beng bi bian biang biao bie bin bing bo bu ca cai
    can cang cao ce cen ceng cha chai chan chang chao che chen cheng chi chong chou chu chua chuai
    chuan chuang chui chun chuo ci cong cou cu cuan cui cun cuo da dai dan dang dao de dei den
    deng di dia dian diao die ding diu dong dou du duan dui dun duo e ei en eng er fa fan fang fei
    fen feng fo fou fu ga gai gan gang gao ge gei gen geng gong gou gu gua guai guan guang gui gun
    guo ha hai han hang hao he hei hen heng hong hou hu hua huai huan huang hui hun huo ji jia
    jian jiang jiao jie jin jing jiong jiu ju juan jue jun ka kai kan kang kao ke ken keng kong
    kou ku kua kuai kuan kuang kui kun kuo la lai lan lang lao le lei leng li lia lian liang liao
    lie lin ling liu lo long lou lu luan lun luo lv lve ma mai man mang mao me mei men meng mi mian
    miao mie min ming miu mo mou mu na nai nan nang nao ne nei nen neng ni nian niang niao nie nin
    ning niu nong nou nu nuan nuo nv nve o ou pa pai pan pang pao pei pen peng pi pian piao pie
    pin ping po pou pu qi qia qian qiang qiao qie qin qing qiong qiu qu quan que qun ran rang rao
    re ren reng ri rong rou ru ruan rui run ruo sa sai san sang sao se sen seng sha shai shan shang
    shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo si song sou su
    suan sui sun suo ta tai tan tang tao te teng ti tian tiao tie ting tong tou tu tuan tui tun tuo
    wa wai wan wang wei wen weng wo wu xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue
    xun ya yan yang yao ye yi yin ying yo yong you yu yuan yue yun za zai zan zang zao ze zei zen
    zeng zha zhai zhan zhang zhao zhe zhei zhen zheng zhi zhong zhou zhu zhua zhuai zhuan zhuang
    zhui zhun zhuo zi zong zou zu zuan zui zun zuo
    """.split()  # noqa: SIM905 - a list of four hundred words would fill four hundred lines
)
INITIALS = frozenset([*"abcdefghjklmnopqrstwxyz", "zh", "ch", "sh"])
_LONGEST_SYLLABLE = 6  # letters of a syllable
_MOST_SEGMENTATIONS = 16  # of cutting what was typed that are looked for, the fewest pieces first
_MARK = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors
# Variants in names, and below each the character by which it is found.
_VARIANTS = str.maketrans(
    "𠮷髙﨑峯堃昇陞囯珎埜栢邨锺鍾喆眞淸靑呉戸槗巌嶋斉",
    "吉高崎峰坤升升国珍野柏村钟钟哲真清青吴户桥岩岛齐",
)


def is_latin(name: str) -> bool:
    """Return whether a name is written in Latin letters."""
    return not "一" <= name[0] <= "龥" and _is_letter(name[0])


def han_characters(text: str) -> str:
    """Return the Han characters of `text` in NFKC, each variant as its usual one."""
    text = text.translate(_VARIANTS)
    if _COMMON_HAN.fullmatch(text):
        return text
    plain = _MARK.sub("", unicodedata.normalize("NFKC", text))
    return "".join(c for c in plain if (c.isalpha() and not _is_letter(c)) or c == "〇")


def _is_letter(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")


def spelling_of(name: str) -> Spelling:
    """Return the possible spellings of a name, with every reading of the surname."""
    name = name.translate(_VARIANTS)
    if is_latin(name):
        return tuple((word,) for word in syllables(name))
    surname = name[:2] if name[:2] in SURNAMES else name[:1]
    given_name = name[len(surname) :]
    given_syllables = [(syllable,) for syllable in syllables(given_name)]
    if OTHER_READINGS.keys().isdisjoint(given_name):
        return (*_surname(surname), *given_syllables)
    return (*_surname(surname), *_with_other_readings(han_characters(given_name), given_syllables))


@lru_cache(maxsize=5_000)
def _surname(surname: str) -> Spelling:
    readings: Iterable[Iterable[str]]
    if surname in SURNAMES:
        readings = zip(*(reading.split() for reading in SURNAMES[surname]), strict=True)
    else:
        pypinyin = _dictionary()
        readings = pypinyin.pinyin(surname, style=pypinyin.Style.NORMAL, heteronym=True)
    return tuple(tuple(dict.fromkeys(reading)) for reading in readings)


def _with_other_readings(characters: str, syllables: list[tuple[str]]) -> list[tuple[str, ...]]:
    """Return the syllables of a given name, with further readings of its characters."""
    if len(characters) != len(syllables):  # letters between them
        return [*syllables]
    return [
        tuple(dict.fromkeys([*syllable, *OTHER_READINGS.get(character, ())]))
        for character, syllable in zip(characters, syllables, strict=True)
    ]


def usual_spelling(spelling: Spelling) -> str:
    """Return a name in its usual readings, the sort key of search results."""
    return "".join(readings[0] for readings in spelling)


def search_text(text: str) -> str:
    """Return typed pinyin as plain letters, with v for ü; "" if it is no pinyin."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return _letters(decomposed.replace("u\u0308", "v").replace("u:", "v"))


def plain_letters(text: str) -> str:
    """Return typed letters of another language as plain ones: muller of Müller."""
    return _letters(unicodedata.normalize("NFD", text.lower()))


def _letters(decomposed: str) -> str:
    letters = "".join(_bare(c) for c in decomposed if c.isalpha())
    return letters if letters.isascii() else ""


Segmentation = tuple[str, ...]


@lru_cache(maxsize=100)  # called for a query, and again for each name found
def segmentations(letters: str) -> tuple[Segmentation, ...]:
    """
    Return the segmentations of `letters` into syllables and initials, fewest pieces first.

    Only the last piece may be incomplete: zhangwe is zhang and a syllable that begins with we.
    """
    ways: list[list[Segmentation]] = [[()], *([] for _ in letters)]
    for start in range(len(letters)):
        for way in sorted(ways[start], key=len)[:_MOST_SEGMENTATIONS]:
            for end in range(start + 1, min(start + _LONGEST_SYLLABLE, len(letters)) + 1):
                piece = letters[start:end]
                last = end == len(letters) and syllables_starting_with(piece)
                if last or piece in INITIALS or syllables_matching(piece):
                    ways[end].append((*way, piece))
    return tuple(sorted(ways[-1], key=len)[:_MOST_SEGMENTATIONS])


@lru_cache(maxsize=1_000)
def syllables_matching(piece: str) -> frozenset[str]:
    """Return the syllables that `piece` may stand for."""
    return SYLLABLES & {piece, _umlaut(piece)}


@lru_cache(maxsize=1_000)
def syllables_starting_with(piece: str) -> frozenset[str]:
    """Return the syllables that begin with `piece`."""
    beginnings = (piece, _umlaut(piece))
    return frozenset(syllable for syllable in SYLLABLES if syllable.startswith(beginnings))


def _umlaut(piece: str) -> str:
    """Return `piece` with v (ü) for u or, as on passports, yu after l or n."""
    return re.sub("^([ln])y?u(?=e?$)", r"\1v", piece)


def contains_syllables(spelling: Spelling, way: Segmentation) -> bool:
    """Return whether consecutive syllables of a name match the pieces of `way`."""
    return any(
        _any_starts_with(spelling[start + len(way) - 1], way[-1])
        and all(map(_any_matches, spelling[start:], way[:-1]))
        for start in range(len(spelling) - len(way) + 1)
    )


def _any_matches(readings: tuple[str, ...], piece: str) -> bool:
    return (
        _any_starts_with(readings, piece)
        if piece in INITIALS
        else not syllables_matching(piece).isdisjoint(readings)
    )


def _any_starts_with(readings: tuple[str, ...], piece: str) -> bool:
    return any(
        reading.startswith(piece) or reading in syllables_starting_with(piece)
        for reading in readings
    )


def starts_with_letters(spelling: Spelling, letters: str) -> bool:
    """Return whether a name, from any of its words on, begins with `letters`."""
    return any(usual_spelling(spelling[n:]).startswith(letters) for n in range(len(spelling)))
