"""
Keys by which people are sorted and found.

Sorting by collation is not used: it differs between servers, and reads surnames as words.
"""

import re
import unicodedata
from functools import lru_cache

from pypinyin import Style, pinyin

from accounts.pinyin import key_of, syllables
from residents.lexemes import begins, stored

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
_BEGUN = frozenset(s[:n] for s in SYLLABLES for n in range(1, len(s) + 1))
_LONGEST = 6  # letters of a syllable
_WAYS = 16  # readings of what was typed that are looked for, the fewest syllables first
_WORD, _LETTERS = 8, 24  # of a name that the index tells apart
_COMMON_HAN = re.compile("[\u4e00-\u9fa5]*")
_MARK = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # says which form of a Han character


def name_key(name: str) -> str:
    """Return the key of a person's name, with every reading of the surname."""
    return key_of(_spelt(name))


def name_words(name: str) -> str:
    """
    Return the words under which a name is found: Han, pinyin and initials from each syllable on.

    张伟明 is found under 张伟明, 伟明, 明, zhangweiming, weiming, ming, zwm, wm and m.
    """
    words = _tails(han(name))
    for spelt in _spelt(name):
        words += ["".join(spelt[n:])[:_LETTERS] for n in range(len(spelt))]
        words += _tails("".join(syllable[0] for syllable in spelt))
    return stored(words)


def is_latin(name: str) -> bool:
    """Return whether a name is written in Latin letters."""
    return unicodedata.name(name[0], "").startswith("LATIN")


def han(text: str) -> str:
    """Return the Han characters of `text` without signs between them, each in its usual form."""
    if _COMMON_HAN.fullmatch(text):
        return text
    plain = _MARK.sub("", unicodedata.normalize("NFKC", text))
    return "".join(c for c in plain if (c.isalpha() and not _is_letter(c)) or c == "〇")


def _is_letter(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")


def _tails(text: str) -> list[str]:
    return [text[n : n + _WORD] for n in range(len(text))]


@lru_cache(maxsize=100)  # a key and words are made of each
def _spelt(name: str) -> list[list[str]]:
    """Return every reading of a name that is looked for, as syllables."""
    if is_latin(name):
        return [syllables(name)]
    surname = next((name[:n] for n in (2, 1) if name[:n] in SURNAMES), name[:1])
    rest = syllables(name[len(surname) :])
    return [[*first, *rest] for first in _readings(surname)]


def search_text(text: str) -> str:
    """Return what somebody typed as it would stand in a key; "" where it is no pinyin."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("u\u0308", "v").replace("u:", "v")
    letters = "".join(c for c in plain if c.isalpha())
    return re.sub("(?<=[ln])yu", "v", letters) if letters.isascii() else ""


def han_query(text: str) -> str:
    """Return the query of `LexemesField` for names that hold the Han characters of `text`."""
    return begins(han(text)[:_WORD])


def pinyin_query(letters: str) -> str:
    """Return the query of `LexemesField` for names spelt by `letters`, or with such initials."""
    without_umlaut = re.sub("(?<=[ln])u(?![nao])", "v", letters)  # lu is typed for 吕, too
    return begins(*{letters[:_LETTERS]: None, without_umlaut[:_LETTERS]: None}, any_of=True)


def mixed_query(letters: str) -> tuple[str, str]:
    """
    Return how names are found that `letters` spell by syllables and initials mixed.

    The first is a query of `LexemesField`, "" for none, the second a regular expression for the
    `name_key` of what that finds: zhangwm is 张伟明 and no 赵伟明.
    """
    ways = [way for way in _cut(letters) if _is_mixed(way)]
    initials = {"".join(piece[0] for piece in way)[:_WORD] for way in ways}
    patterns = dict.fromkeys(map(_pattern, ways))
    return begins(*sorted(initials), any_of=True), "|".join(patterns)


def _is_mixed(way: tuple[str, ...]) -> bool:
    whole = [piece in SYLLABLES for piece in way[:-1]]
    return not all(whole) and any(len(piece) > 1 for piece in way)


def _cut(letters: str) -> list[tuple[str, ...]]:
    """Return the ways to cut `letters` into syllables and initials, the shortest first."""
    ways: list[list[tuple[str, ...]]] = [[()], *([] for _ in letters)]
    for start in range(len(letters)):
        for way in sorted(ways[start], key=len)[:_WAYS]:
            for end in range(start + 1, min(start + _LONGEST, len(letters)) + 1):
                piece = letters[start:end]
                last = end == len(letters) and piece in _BEGUN
                if last or piece in SYLLABLES or piece in INITIALS:
                    ways[end].append((*way, piece))
    return sorted(ways[-1], key=len)[:_WAYS]


def _pattern(way: tuple[str, ...]) -> str:
    *before, last = way
    pieces = [f"{piece}[a-z]*" if piece in INITIALS else piece for piece in before]
    # Whoever has no ü types lu for 吕.
    return "".join(re.sub("^([ln])u(?=e?$)", r"\1[uv]", piece) for piece in (*pieces, last))


@lru_cache(maxsize=5_000)
def _readings(surname: str) -> list[list[str]]:
    if surname in SURNAMES:
        return [reading.split() for reading in SURNAMES[surname]]
    return [[r] for r in pinyin(surname, style=Style.NORMAL, heteronym=True)[0]]
