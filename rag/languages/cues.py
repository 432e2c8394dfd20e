"""Small words that turn a sentence round: negation, modality, direction, bounds, conditions, quantifiers,
opposites.

Each is found as a `Cue`: its class, and its scope, the content words next to it. Scopes decide which "not"
of a long sentence answers which "not" of another. Lexicons are closed lists in English and Chinese; a word
that is in none of them is left to the overlap checks."""

from __future__ import annotations

import re
from dataclasses import dataclass

# group -> class -> pattern. Within a group classes exclude each other. Longer expressions come first and
# consume their words: the "not" of "not more than" is a bound and not a negation.
_LEXICON: tuple[tuple[str, str, str], ...] = (
    ("bound", "at most",
     r"\b(?:no|not) (?:more|greater|later|longer|higher|larger) than\b|\b(?:no|not) (?:to )?exceed(?:ing"
     r"|s)?\b|≤|\b(?:may|can|shall|must|does|do|did|is|are) ?not (?:to )?exceed\b|\bat (?:the )?most\b"
     r"|\bup to\b|\bmaximum\b|\bless than or equal to\b|\bwithin(?= (?:\S+ ){1,4}(?:days?|months?|weeks?"
     r"|hours?|years?)\b)|\bcapped\b"
     r"|不超过|不得超过|不能超过|不多于|不高于|不大于|不得高于|不得多于|不迟于|至多|最多|不长于|最长|最高"
     r"|(?<=[日天月年时周])[之以]?内"),
    ("bound", "at least",
     r"\b(?:no|not) (?:less|fewer|lower|earlier|shorter|smaller) than\b|\bat least\b|\bminimum\b|≥"
     r"|\bgreater than or equal to\b|\bor (?:more|older|above|over)\b"
     r"|不少于|不低于|不小于|不得少于|不得低于|不得小于|至少|最少|不早于|不短于|最低"),
    ("modality", "need not",
     r"\b(?:need|needs) not\b|\b(?:not|n't) (?:be )?(?:required|obliged|obligated|necessary|need|have to)\b"
     r"|无需|不必|无须|不需要"),
    ("modality", "should not",
     r"\bshould ?(?:not|never)\b|\bshouldn't|\bnot (?:be )?(?:recommended|advisable)\b|不宜|不建议|不推荐"),
    ("modality", "must not",
     r"\b(?:shall|must|may|can|could|will) ?(?:not|never)\b|\b(?:can't|mustn't|won't|shan't|couldn't)|\b(?:is"
     r"|are|be|being|was|were) (?:strictly )?(?:prohibited|forbidden|barred)\b|\bprohibits?\b|\b(?:not"
     r"|n't) (?:be )?(?:permitted|allowed|entitled|authorized|authorised)\b|\bunder no circumstances?\b"
     r"|不得|禁止|严禁|不可以|不可(?!抗|避|分|撤|逆|或|转)|不应当?|不能(?!力)|不准|不许|无权|禁用"),
    ("modality", "must",
     r"\b(?:shall|must)\b|\b(?:is|are|be|was|were) (?:required|obliged|obligated)\b|\b(?:has|have|had) to\b"
     r"|\brequires?\b|\bmandatory\b|\bis to be\b|\bare to be\b"
     r"|应当|必须|(?<!无)须|(?<![反相供适效响对])应(?![收付用对急诉激答变聘邀届计])|(?<!不)需要?(?!求)"
     r"|有义务"),
    ("modality", "should",
     r"\b(?:should|ought|recommended|advisable|recommends?)\b|(?<![适合便不])宜|建议|推荐"),
    ("modality", "may",
     r"\b(?:may|might|can|could)\b|\b(?:is|are|be) (?:permitted|allowed|entitled|free|authorized"
     r"|authorised)\b|\bha(?:s|ve) the (?:right|option)\b|\boptional\b|\bat (?:its|his|her|their) (?:option"
     r"|discretion)\b|\blets?\b"
     r"|可以|可能|能够|有权|允许|(?<![不许认])可(?![靠行见观变用信口是持比])"),
    ("negation", "not",
     r"\bnot\b|n[’']t\b|\b(?:no|never|without|neither|nor|none|nobody|nothing|non)\b|\bcannot\b"
     r"|不(?![仅但过断动论同久可得])|未(?![来成])|(?<!有)无(?![论锡形])|没有|没|非(?![常流洲典金])|并非"
     r"|从未|尚未|勿"),
    ("denial", "weak not",
     r"\b(?:fail(?:s|ed|ing|ure)?|lacks?|lacking|unable|absent|absence|refus\w+|den(?:y|ies|ied|ial)"
     r"|exclud\w+)\b|\b(?:ineligible|insufficient|invalid|void|free (?:of|from)|unlawful|illegal|except"
     r"|unless|rather than|miss\w*)\b|\b(?:instead of|barred|prohibit\w*|forbid\w*|waive\w*|exempt\w*"
     r"|contraindicated|avoid\w*|cease\w*)\b|\bun(?:likely|changed|paid|available|enforceable|reasonable"
     r"|secured|audited|known|related|affected|lawful)\b|\b(?:rarely|hardly|seldom|scarcely|barely|stop(?:s"
     r"|ped)?|declin(?:e[sd]?|ing) to|ban(?:s|ned)?)\b|\bunauthori[sz]ed\b|\bbelow\b|很少|极少|几乎不|难以"
     r"|未必|暂停|中止|终止|放弃|拒绝|缺乏|排除|除外|免除|免于|无效|避免|停止|失效|禁忌|不足|否认|逾期"),
    ("hedge", "not yet",
     r"\b(?:expect(?:s|ed|ing)?|intend(?:s|ed)?|plan(?:s|ned)? to|propos(?:e[sd]?|ing)|anticipat\w+"
     r"|estimat\w+|alleg\w+|reportedly|purport\w*|likely|probabl[ey]|potential\w*|project(?:s|ed)|forecast\w*|budgeted"
     r"|targets?|targeted|aim(?:s|ed)? to|seek(?:s|ing)? to|suggest(?:s|ed)?|appear(?:s|ed)? to"
     r"|seem(?:s|ed)? to|claim(?:s|ed)? (?:that|to)|believ\w+)\b"
     r"|拟(?![定制])|预计|预期|预测|计划(?=[在于将购投建])|有望|据称|据报道|涉嫌|估计|打算|力争|似乎|疑似|初步"),
    ("trend", "up",
     r"\b(?:increas\w*|rise[sn]?|rising|rose|grow\w*|grew|gain(?:s|ed)?|improv\w*|climb\w*|expand\w*|upward"
     r"|raise[sd]?)\b|\bup(?= \d|\W+\d)|增加|上升|增长|提高|上涨|提升|扩大|增多|升高|上调|延长|涨价"),
    ("trend", "down",
     r"\b(?:decreas\w*|declin\w*|fall(?:s|en|ing)?|fell|drop\w*|reduc\w*|lower(?:s|ed|ing)|shrank"
     r"|shrink\w*)\b"
     r"|\b(?:downward|worsen\w*|to lower)\b|减少|下降|降低|下跌|缩小|减小|下滑|下调|缩短|降到|降至"),
    ("comparison", "up",
     r"\b(?:higher|more|above|exceed\w*|greater|larger|longer|older)\b|\b(?:over|beyond)(?= (?:\W?\d"
     r"|the age))"
     r"|高于|超过|多于|以上|大于|超出|优于"),
    ("comparison", "down",
     r"\b(?:lower|less|fewer|below|smaller|shorter|younger)\b|\bunder(?= (?:\W?\d|the age))"
     r"|低于|少于|以下|小于|不足|不满|未满|劣于"),
    ("time", "before",
     r"\b(?:before|prior to|preced\w+|until|earlier|beforehand|prior)\b"
     r"|之前|以前|届满前|前(?=[,，、]|支付|提交|完成|通知|向|将)"),
    ("time", "after",
     r"\b(?:after|following|subsequent\w*|since|later|from the date)\b"
     r"|之后|以后|(?<=[日月年天])后|后(?=[,，])|起(?=[\d一二三四五六七八九十])"),
    ("balance", "profit", r"\b(?:profit\w*|net income|earnings|surplus)\b|盈利|利润|盈余"),
    ("balance", "loss", r"\b(?:loss(?:es)?|deficit)\b|亏损|赤字"),
    ("result", "yes",
     r"\b(?:approv\w*|accept\w*|grant\w*|affirm\w*|upheld|valid|lawful|legal|effective|eligible|includ\w*"
     r"|safe)\b|\b(?:significant\w*|positive|enforceable|voluntary|secured|taxable)\b"
     r"|批准|接受|同意|支持|(?<![没无])有效(?!期)|合法|包括|阳性|显著"),
    ("result", "no",
     r"\b(?:reject\w*|refus\w*|den(?:y|ies|ied)|revok\w*|revers\w*|overturn\w*|invalid|void|unlawful"
     r"|illegal)\b|\b(?:ineffective|ineligible|exclud\w*|unsafe|insignificant\w*|negative|unenforceable"
     r"|involuntary|unsecured)\b"
     r"|驳回|拒绝|撤销|无效|违法|不包括|排除|阴性|不显著"),
    ("cause", "because",
     r"\b(?:because|due to|owing to|as a result of|driven by|drove|caused by|on account of)\b|由于|因为?"
     r"|导致|所致"),
    ("quantifier", "all",
     r"\b(?:all|every|each|any|both|always|entire\w*|whole)\b|全部|所有|每个|任何|一切|均|都|始终"),
    ("quantifier", "some",
     r"\b(?:some|several|certain|many|part of|partly|partial\w*|sometimes|occasionally|often|usually)\b"
     r"|部分|某些|有些|若干|有时|一些|通常"),
    ("quantifier", "most", r"\b(?:most|majority|mainly|primarily|mostly)\b|大多数|多数|主要"),
    ("quantifier", "about",
     r"\b(?:about|approximately|around|roughly|nearly|almost)\b|大约|大概|左右|约(?=[\d百千三四五六七八九十])"),
    ("restriction", "only", r"\b(?:only|solely|exclusively|sole|exclusive)\b|仅|只(?!要)|唯一|独家"),
    ("condition", "unless",
     r"\b(?:unless|except|excluding|other than|provided that|provided, however|subject to|notwithstanding"
     r"|save for|on condition|conditional (?:on|upon)|contingent (?:on|upon)|(?:as|so) long as)\b"
     r"|\bwith (?:the |its |their |his |her )?(?:prior |written |express ){0,2}"
     r"(?:consent|approval|permission)\b"
     r"|除.{1,20}外|除非|但(?!是否)"),
    ("condition", "if",
     r"\b(?:if|in the event|in case|when|provided)\b"
     r"|(?<!未)经[^，。；,;未不]{1,20}?(?:批准|同意|许可|核准|审查|审批|授权|认可)后?|只有|(?:前提|条件)下|以.{1,20}为(?:前提|条件)"
     r"|如果|若(?!干)|如(?=[\u4e00-\u9fff]{2,20}的?[,，])|的情况下|的情形下|的[,，](?=应|可|由|不|处|依|人)"),
    ("choice", "or", r"\bor\b|或者?|要么"),
)  # fmt: skip

_COMPILED = tuple((group, name, re.compile(pattern, re.IGNORECASE)) for group, name, pattern in _LEXICON)
# Expressions of these groups use their words up: the "not" of "not more than" is no negation, nor its
# "more" a comparison.
_CONSUMING = frozenset({"bound", "modality"})

_OPPOSED = (
    "buyer/seller, purchaser/seller, lessor/lessee, landlord/tenant, borrower/lender, plaintiff/defendant, "
    "licensor/licensee, employer/employee, assets/liabilities, debit/credit, creditor/debtor, import/export, "
    "maximum/minimum, first/last, oral/intravenous, adult/child, adults/children, domestic/foreign, "
    "internal/external, current/noncurrent, basic/diluted, gross/net, appellant/appellee, supplier/customer, "
    "parent/subsidiary, systolic/diastolic, acute/chronic, male/female, men/women, northern/southern, "
    "eastern/western, day/night, morning/evening, daily/weekly, monthly/annually, weekly/monthly, "
    "quarterly/annually, franchisor/franchisee, guarantor/creditor, issuer/investor, mortgagor/mortgagee, "
    "disclosing/receiving, principal/agent, hypertension/hypotension, hyperglycemia/hypoglycemia, "
    "short-term/long-term, receivable/payable, opening/closing, inflow/outflow, upper limit/lower limit, "
    "won/lost, bought/sold, mild/severe, intramuscular/intravenous, contraindicated/indicated, "
    "semi-annually/annually, every other day/every day, before tax/after tax, pre-tax/after-tax, "
    "left eye/right eye, left side/right side, inpatient/outpatient, ordinary/preferred, 上限/下限, "
    "应收/应付, 期初/期末, 短期/长期, 税前/税后, 不含税/含税, 隔日/每日, 上午/下午, 左眼/右眼, 左侧/右侧, "
    "胜诉/败诉, 买入/卖出, 母公司/子公司, 轻度/重度, 境内/境外, 上半年/下半年, 肌肉注射/静脉注射, "
    "年利率/月利率, 按月/按季, 按月/按年, 按季/按年, 门诊/住院, 原值/净值, 毛利润/净利润, 甲方/乙方, "
    "出租人/承租人, 原告/被告, 买受人/出卖人, 买方/卖方, 借款人/贷款人, 债权人/债务人, 发包人/承包人, "
    "委托人/受托人, 上诉人/被上诉人, 资产/负债, 收入/支出, 流入/流出, 劳动者/用人单位, 男性/女性, 成人/儿童, "
    "口服/静脉, 饭前/饭后, 餐前/餐后, 早晨/晚上, 每日/每周, 收缩压/舒张压, 急性/慢性, 申请人/被申请人, "
    "赠与人/受赠人, 保证人/债权人, 许可方/被许可方, 披露方/接收方, 供应商/客户, 毛利/净利, 流动/非流动"
)
OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    tuple(pair.split("/"))  # type: ignore[misc]
    for pair in _OPPOSED.split(", ")
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A turning word: its group ("negation"), class ("not"), the words themselves, span, and where its
    scope ends."""

    group: str
    name: str
    text: str
    start: int
    end: int


def cues(text: str) -> tuple[Cue, ...]:
    """Turning words of a folded text in order. Prohibitions ("shall not", 不得) are given as modality and
    as negation."""
    found: list[Cue] = []
    used = bytearray(len(text))
    for group, name, pattern in _COMPILED:
        for m in pattern.finditer(text):
            if m.start() == m.end() or any(used[m.start() : m.end()]):
                continue
            found.append(Cue(group, name, m.group(), m.start(), m.end()))
            if name in ("must not", "should not", "need not"):
                found.append(Cue("negation", "not", m.group(), m.start(), m.end()))
            if group in _CONSUMING:
                used[m.start() : m.end()] = b"\1" * (m.end() - m.start())
    return tuple(sorted(found, key=lambda c: (c.start, c.group)))
