"""
Names spelt in pinyin, to sort and to find them by, and what was typed cut into syllables.

Sorting by collation is not used: it differs between servers, and reads surnames as words.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import Style, lazy_pinyin, pinyin
from pypinyin.constants import PHRASES_DICT

_COMMON_HAN = re.compile("[\u4e00-\u9fa5]*")
_WORD = re.compile(r"[^\W_]+")


def syllables(text: str) -> list[str]:
    """Return one syllable for each Han character and each Latin word, in lower case."""
    # Most given names: two characters that no dictionary reads as one word.
    if len(text) <= 2 and text not in PHRASES_DICT and _COMMON_HAN.fullmatch(text):
        return [_alone(character) for character in text]
    return _spelt(text)


@lru_cache(maxsize=30_000)
def _alone(character: str) -> str:
    return "".join(_spelt(character))


def _spelt(text: str) -> list[str]:
    spelt = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)
    return [word for part in spelt for word in _WORD.findall(_bare(part))]


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def key_of(readings: list[list[str]]) -> str:
    """
    Return the key to sort and search by: each reading whole and by its initials.

    The first reading comes first, so that lists sort by it.
    """
    spelt = []
    for reading in readings:
        spelt += ["".join(reading), "".join(syllable[0] for syllable in reading)]
    return "|".join(dict.fromkeys(spelt))


def place_key(name: str) -> str:
    """Return the key of a place's name."""
    return key_of([syllables(name)])


# Of each character, or word in Latin letters, the syllables as which it may be read; the usual
# one first.
Spelling = tuple[tuple[str, ...], ...]

# Surnames that dictionaries read as a common word; the reading of the surname first.
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

# Characters of given names that people read in two ways.
_ALSO = """
    乐 yue le, 行 xing hang, 重 chong zhong, 长 chang zhang, 朝 chao zhao, 娜 na nuo, 茜 qian xi,
    莘 xin shen, 晟 sheng cheng, 盛 sheng cheng, 伽 jia qie, 颉 jie xie, 隽 jun juan, 焯 zhuo chao,
    柏 bai bo, 蔚 wei yu, 强 qiang jiang, 莎 sha suo, 澄 cheng deng, 露 lu lou, 薄 bo bao,
    禅 chan shan, 栖 qi xi, 翟 zhai di, 曾 zeng ceng, 解 jie xie, 朴 pu piao, 单 dan shan,
    车 che ju, 都 du dou, 谷 gu yu, 奇 qi ji, 仔 zai zi, 拓 tuo ta, 会 hui kuai, 传 chuan zhuan,
    阿 a e, 叶 ye xie, 觉 jue jiao, 还 huan hai, 藏 cang zang, 省 sheng xing, 宿 su xiu,
    识 shi zhi, 种 zhong chong, 校 xiao jiao, 亘 gen xuan, 湛 zhan chen, 沈 shen chen, 贾 jia gu
"""
ALSO = {character: also for character, *also in map(str.split, _ALSO.split(","))}


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
_LONGEST = 6  # letters of a syllable
_WAYS = 16  # of cutting what was typed that are looked for, the fewest pieces first
_MARK = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # says which form of a Han character


def is_latin(name: str) -> bool:
    """Return whether a name is written in Latin letters."""
    return not "一" <= name[0] <= "龥" and _is_letter(name[0])


def han(text: str) -> str:
    """Return the Han characters of `text` without signs between them, each in its usual form."""
    if _COMMON_HAN.fullmatch(text):
        return text
    plain = _MARK.sub("", unicodedata.normalize("NFKC", text))
    return "".join(c for c in plain if (c.isalpha() and not _is_letter(c)) or c == "〇")


def _is_letter(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")


def spelt(name: str) -> Spelling:
    """Return how a name may be spelt, with every reading of the surname."""
    if is_latin(name):
        return tuple((word,) for word in syllables(name))
    surname = name[:2] if name[:2] in SURNAMES else name[:1]
    rest = name[len(surname) :]
    given = [(syllable,) for syllable in syllables(rest)]
    if ALSO.keys().isdisjoint(rest):
        return (*_surname(surname), *given)
    return (*_surname(surname), *_with_others(han(rest), given))


@lru_cache(maxsize=5_000)
def _surname(surname: str) -> Spelling:
    readings: Iterable[Iterable[str]]
    if surname in SURNAMES:
        readings = zip(*(reading.split() for reading in SURNAMES[surname]), strict=True)
    else:
        readings = pinyin(surname, style=Style.NORMAL, heteronym=True)
    return tuple(tuple(dict.fromkeys(each)) for each in readings)


def _with_others(characters: str, given: list[tuple[str]]) -> list[tuple[str, ...]]:
    """Return the syllables of a given name, with the second readings of its characters."""
    if len(characters) != len(given):  # letters between them
        return [*given]
    return [
        tuple(dict.fromkeys([*syllable, *ALSO.get(character, ())]))
        for character, syllable in zip(characters, given, strict=True)
    ]


def in_letters(spelling: Spelling) -> str:
    """Return a name as it is usually spelt: what lists of one page sort by."""
    return "".join(readings[0] for readings in spelling)


def search_text(text: str) -> str:
    """Return what somebody typed in the letters of a spelling; "" where it is no pinyin."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("u\u0308", "v").replace("u:", "v")
    letters = "".join(c for c in plain if c.isalpha())
    return letters if letters.isascii() else ""


Way = tuple[str, ...]


@lru_cache(maxsize=100)  # asked for a query, and again for each name that it finds
def cut(letters: str) -> tuple[Way, ...]:
    """
    Return the ways to cut `letters` into syllables and initials, those of fewest pieces first.

    Only the last piece may be half a syllable: zhangwe is zhang and what begins with we.
    """
    ways: list[list[Way]] = [[()], *([] for _ in letters)]
    for start in range(len(letters)):
        for way in sorted(ways[start], key=len)[:_WAYS]:
            for end in range(start + 1, min(start + _LONGEST, len(letters)) + 1):
                piece = letters[start:end]
                last = end == len(letters) and begun(piece)
                if last or piece in INITIALS or whole(piece):
                    ways[end].append((*way, piece))
    return tuple(sorted(ways[-1], key=len)[:_WAYS])


@lru_cache(maxsize=1_000)
def whole(piece: str) -> frozenset[str]:
    """Return the syllables that `piece` may be."""
    return SYLLABLES & {piece, _umlaut(piece)}


@lru_cache(maxsize=1_000)
def begun(piece: str) -> frozenset[str]:
    """Return the syllables of which `piece` may be the beginning."""
    beginnings = (piece, _umlaut(piece))
    return frozenset(syllable for syllable in SYLLABLES if syllable.startswith(beginnings))


def _umlaut(piece: str) -> str:
    """Return `piece` with the ü that whoever has none types as u, or yu as on a passport."""
    return re.sub("^([ln])y?u(?=e?$)", r"\1v", piece)


def is_spelt_so(spelling: Spelling, way: Way) -> bool:
    """Return whether a name holds the pieces of `way`, one after the other."""
    return any(
        _begins(spelling[start + len(way) - 1], way[-1])
        and all(map(_is_read, spelling[start:], way[:-1]))
        for start in range(len(spelling) - len(way) + 1)
    )


def _is_read(readings: tuple[str, ...], piece: str) -> bool:
    return _begins(readings, piece) if piece in INITIALS else not whole(piece).isdisjoint(readings)


def _begins(readings: tuple[str, ...], piece: str) -> bool:
    return any(reading.startswith(piece) or reading in begun(piece) for reading in readings)


def begins_so(spelling: Spelling, letters: str) -> bool:
    """Return whether a name, from one of its words on, begins with `letters`."""
    return any(in_letters(spelling[n:]).startswith(letters) for n in range(len(spelling)))
