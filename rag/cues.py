"""The words by which a question for a figure is known, and those that turn it into another question.

All functions take text as `rag.text.normalise` gives it (lower case), English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.asked import Aim


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_STOP = re.compile(
    r"(?<!\bu\.s)(?<!\bvs)(?<!\binc)(?<!\bco)(?<!\bcorp)(?<!\bltd)(?<!\bno)(?<!\be\.g)(?<!\bapprox)(?:[.?!](?=\s|$|[\"'”)])|[;。！？；\n]|[?!](?=[\u3400-\u9fff]))"
)

_ASKS_EN = _any(
    r"\bwhat(?:'s| is| was| are| were| would| will|)\b", r"\bhow (?:much|many|large|big|high|low|great|long|fast|far|profitable|leveraged|well|did|has|have|does)\b",
    r"^(?:so |and |ok |then |please |could you |can you |kindly |now )*(?:calculate|compute|determine|find|give|report|state|provide|show|tell|derive|work out|estimate|return|get|quantify|extract|identify)\b",
    r"\b(?:please|can you|could you|need|want|like)(?: to know| me)?(?: to)? ?(?:calculate|compute|determine|find|give|report|state|provide|show|tell|derive|work out|quantify|the|know)\b",
    r"\b(?:by|in) (?:what|which|how)\b", r"\bwhich\b.{0,60}\b(?:highest|lowest|higher|lower|largest|smallest|most|least|best|worst|greatest|biggest)\b",
    r"^(?:is|are|was|were|does|did|do|has|have|had|could|can)\b", r",\s*(?:is|are|was|were|does|did|do|has|have|had)\b", r"\bwhether\b",
)  # fmt: skip
_ASKS_ZH = _any(
    r"多少|几何|几[元亿万倍天]|多大|多高|多长|计算|求|算一?[下出]|是否|有没有|有无|吗|怎么样|如何变化|变化情况|变动情况|请(?:给出|提供|告知|列出|问)|哪一?[年个季]|[为是](?:\?|$)|[?]$"
)
_SHORT_EN = 9

_FORBIDDEN_EN = _any(
    r"\bwhy\b", r"\bhow come\b", r"\b(?:what|which)\b.{0,50}\b(?:drove|drives?|driver|drivers|driven|caused?|causes|led to|leads to|contribut\w+ to|explains?|impact\w*|affect\w*|influenc\w*|reasons?|factors?)\b",
    r"\breasons?\b", r"(?<!in )\b(?:components?|terms|nature|composition|breakdown|sources?|details|types?|kinds?|uses|purpose|treatment|maturit\w+|makeup) of\b", r"\bfactors?\b", r"\bdrivers?\b", r"\bdriven\b", r"\bbecause\b", r"\bdescribe\b", r"\bdiscuss\b", r"\bsummari[sz]e\b", r"\boutline\b",
    r"\bwho(?:m|se)?\b", r"\bwhere\b", r"\bwhen\b",
    r"\bwhat (?:does|do|did) .{0,60}\b(?:mean|measure|tell|indicate|include|consist|comprise|represent|say|expect|plan|intend|forecast|think|do)\b",
    r"\bmeant by\b", r"^\W*(?:please |kindly )?explain\b", r"\bmeaning of\b", r"\bdefinition of\b", r"\bdefine\b",
    r"\bhow (?:is|are|was|were|does|do|did|can|should|would|to|may|must|will)\b.{0,90}\b(?:calculate\w*|comput\w*|defin\w*|measur\w*|recogni[sz]\w*|treat\w*|account\w* for|determin\w*|taxed|report\w*|use\w*|record\w*|classif\w*|interpret\w*|improve\b|raise\b|reduce\b|manage\w*|present\w*|value\w*|allocat\w*|deal\w*|plan\w*|finance\b)",
    r"\b(?:polic(?:y|ies)|covenants?|strateg\w+|guidance|outlook|forecasts?|projections?|risks?|lawsuits?|litigation)\b",
    r"\bby (?:business |operating |reportable |product |geographic )?(?:segments?|regions?|geograph\w+|countr\w+|products?|product lines?|customers?|channels?|brands?|division)\b",
    r"\b(?:statutes?|act of|article \d|section \d+ of|clauses?|plaintiffs?|defendants?|court|courts|liable|liability for|entitled|tenants?|landlords?|lessees?|lessors?|employee entitled|spouses?|divorc\w*|heirs?|estate|inherit\w*|penalt(?:y|ies)|fined?\b|statutory|lawful|unlawful|breach\w*|contract(?!s? (?:liabilit|asset))|shall|creditors?|shareholders' meeting|directors?|partners?|regulations?|required to|allowed to|must)\b",
    r"\b(?:patients?|dos(?:e|age|ing)|symptoms?|treatments?|therap\w+|disease|clinical|blood|cardiac|heart|renal|drug|mg|tumou?r|surgery|diagnos\w+|trial|vaccin\w*|infect\w*)\b",
    r"\b(?:organic|constant[- ]currency|like-for-like|same[- ]store|comparable)\b", r"\bif (?:i|you|we|he|she|they|someone|a|an)\b", r"\bshould\b",
    r"\bwhat is an? [a-z' -]+\?", r"\bdifference between .{0,40}\band\b.{0,40}\?$(?<!\d\?)",
    r"\bper (?:employee|store|user|customer|unit|subscriber)\b", r"\b(?:which|what)\b(?! (?:is|was|are|were|percentage|share|proportion)\b)[^?]{0,40}\b(?:compan(?:y|ies)|segments?|regions?|products?|business(?:es)?|brands?|countr\w+|divisions?|geograph\w+|customers?|banks?|events?|statements?|documents?|pages?)\b(?=[^?]*\b(?:had|has|have|did|is|was|were|are|that|generated|contributed|reported|grew|performed|show)\b)", r"^(?:[^?]*, )?(?:is|are|was|were|does|did) (?:there|[\w ]{1,30} (?:have|report)) any (?!change|drop|increase|decrease|improvement|decline|growth|rise|fall|reduction|free|cash|goodwill|long|debt)",
    r"\bexamples?\b", r"\bsteps?\b", r"\bformula for\b", r"\bpros and cons\b", r"\badvantages?\b", r"\bbenefits? of\b",
)  # fmt: skip
_FORBIDDEN_ZH = _any(
    r"为什么|为何|原因|因素|怎么回事|缘故|驱动|影响|导致|由于|说明(?!书)|解释|阐述|简述|分析|评价|讨论|总结|概述|谈谈|介绍",
    r"什么是|是什么意思|含义|定义是什么|什么意思|如何定义|如何(?:计算|确认|计量|提高|提升|改善|降低|理解|看待|缴纳|分配|分割|处理|核算|认定|管理|列报)|怎[么样](?:计算|确认|算(?!出)|提高|提升|改善|降低|缴|交|分|处理|认定|看|办)|公式是什么|作用|意义|区别|关系",
    r"政策|会计处理|构成|组成|来源|来自哪|明细|用途|种类|类型|谁|哪里|何时|什么时候|哪些|哪家|风险|计划|预测|预计|展望|策略|战略",
    r"第[一二三四五六七八九十百千\d]+条|应当|不得|依法|法律|法规|条例|规定|民法|刑法|公司法|合同(?!负债|资产)|违约|违法|诉讼|法院|仲裁|判决|罚款|处罚|赔偿|离婚|夫妻|配偶|婚姻|继承|遗产|租客|房东|承租|出租人|劳动者|工伤|工资|社保|个人所得税|起征点|税法|纳税人|申报|扣除(?!非)|可以.{0,12}吗|能否|能不能|需要.{0,12}吗|债权人|股东会|董事会|合伙",
    r"患者|病人|剂量|症状|治疗|药|疾病|血压|血糖|手术|临床|诊断|感染|肿瘤|疫苗",
    r"按(?:产品|地区|行业|业务|分部|区域|客户)|分(?:产品|地区|行业|业务|部)|各(?:产品|地区|行业|业务|分部)|同店|内生|人均|单店",
)  # fmt: skip

_INSTRUCTS = re.compile(
    r"^(?:\W*)(?:please |kindly )?(?:round|answer|express|address|respond|use|give (?:a|an|the|your) (?:answer|response|final)|give a response|show your|state your answer|provide (?:a|an|the|your) (?:answer|response|final)|report your|your (?:answer|response)|approach|you are|you're|assume|imagine|suppose|act as|adopt|if |note|don't|do not|calculate (?:what was asked|the answer)|the (?:answer|question|metric|result)|the answer|write|in your|quote|refer|base|consider|take (?:into|a look)|answers?|"
    r"请?(?:保留|四舍五入|精确|以.{0,8}(?:为单位|表示)|用.{0,8}(?:表示|回答)|单位|结果|答案|你是|假设|如果|若|注[:：]))"
)
_ASIDE = re.compile(
    r"\?|,\s*(?:what|how|is|are|was|were|does|did|do|has|have|calculate|compute|give|tell)\b|多少|是否|吗"
)
_MEANS = re.compile(
    r"\bwhat (?:does|do|is) (?:it|this|that|they) (?:mean|measure|tell|used)|是什么意思|什么含义|代表什么"
)
_DEFINES = re.compile(
    r"^\W*(?:here,? |note that |where |we )?(?:define|defining)\b|^[^?]{0,80}\b(?:is|are) (?:here )?defined as\b(?!.*\?)|^[^?？]{0,40}(?:的?定义[为是:]|的?计算公式[为是:])(?!.*(?:多少|吗|\?))"
)

_NEXT_EN = re.compile(
    r"^(?:'s?|\)|\"|\]|')*\s*(?:$|[,.;:?()/=+*%-]|\d|(?:fy|q[1-4]|h[12])[ '\d]|(?:in|for|of|at|as|during|from|between|over|by|to|on|per|across|within|since|through|throughout|after|before|with|and|or|vs|versus|against|compared|relative|"
    r"was|is|were|are|did|does|do|has|have|had|be|been|will|would|that|which|it|they|the|its|this|last|next|than|"
    r"amounts?|balances?|total|totals|figures?|values?|numbers?|ratio|ratios|margins?|growth|rates?|percentages?|percent|levels?|position|profile|dollar|usd|"
    r"year|yearly|annual|year-end|year-over-year|yoy|quarter|quarterly|fiscal|reported|generated|earned|paid|spent|recorded|recogni[sz]ed|incurred|made|held|posted|booked|achieved|outstanding|attributable|available|used|provided|"
    r"less|minus|plus|net|divided|multiplied|times|change|changes|changed|increase|increased|decrease|decreased|grow|grew|grown|decline|declined|rise|rose|fall|fell|improve|improved|improving|deteriorat\w+|go|gone|went|increasing|decreasing|growing|declining|rising|falling|expand\w*|shrink\w*|shrunk|"
    r"based|directly|explicitly|shown|listed|outlined|disclosed|stated|presented|expensed|highest|lowest|largest|smallest|worsen\w*|strengthen\w*|weaken\w*|develop\w*|evolv\w*|compar\w*|get|got|getting|turn\w*|positive|negative|healthy|adequate|sufficient|strong|high|higher|low|lower|enough|above|below|better|worse|up|down|"
    r"average|cagr|trend|sheet|line|item|items|represent\w*|account\w*|went|come|came|consist|made|as|reach|reached|stand|stood|amount|equal|equals|respectively|please|combined|together|business|company|cover|exceed)\b)"
)
_NEXT_ZH = re.compile(
    r"^[)）\"”]?\s*(?:$|[,，。?？;；:：、()（）/+*=÷×-]|的?(?:百分比|百分之|总额|总计|合计|金额|余额|规模|数额|净额|水平|情况|数值|数据|数字|比率|比例|比重|占比|份额|变动|变化|走势|趋势|平均|均值|年均|复合|增长|增速|增幅|降幅|减少|增加|下降|上升|同比|环比|提高|提升|改善|恶化|差额?|之?[和差比])|期末|期初|年末|年初|本期|上期|分别|各|大约|大概|约|共|一共|总共|总|是|为|達|达|有|多|几|占|除|乘|减|加|比|与|和|及|同|较|从|由|在|于|一直|持续|逐年|连续|转|呈|更|高|低|最|超|足|健康|合理|良好|正常|能|够|变|吗|呢|如何|怎样|怎么样|增|降|升|跌|减|改|恶|扩|缩|下|上|中|里|当中|率|率?是|净?增|元|百|在|\d)"
)
_BEFORE_ZH_BAD = re.compile(
    r"(?:个人|家庭|夫妻|企业年金|被保险人|子女|我的?|我们家|业务|产品|板块|地区|境外|境内|国内|海外|线上|线下|子公司|分部|其他|同业)(?:的)?$"
)
_LASTING = re.compile(r"year|quarter|month|day|week|ly$")
_BEFORE_LABEL = frozenset("the its their his a in of for on was were is are total net our".split())
_BOUND = re.compile(
    r"(?:(?P<up>above|over|exceed\w*|greater than|more than|higher than|at least|超过|高于|大于|不低于)"
    r"|(?P<down>below|under|less than|lower than|smaller than|at most|低于|小于|不足|不高于))\s*"
    r"(?P<n>\d+(?:\.\d+)?)(?:\s?%|x\b| times|倍)?(?!\d|\s*年|,)"
)
_COMMON_BEFORE = frozenset(
    "the a an its their his our your this that total net gross consolidated annual yearly quarterly reported average "
    "fiscal year end ended year-end full-year company company's firm's group's group firm and or of in for to is was "
    "were are be did does do has have had what how much many any with by from on at as much into between calculate "
    "compute determine find give me show report state provide tell us unadjusted overall basic diluted gaap audited "
    "recent latest current last previous prior most same which whose cash paid per positive negative healthy strong "
    "high low reasonably good adequate sufficient year-over-year yoy percentage percent change growth increase "
    "decrease annualized trailing final ending opening beginning closing highest lowest generate generated spend "
    "spent earn earned report post posted make made record recorded turn ratio sum difference share proportion "
    "portion fraction part it they that's what's much more less than minus plus divided over number amount level "
    "value figure quarter first second third fourth half months about compound cumulative aggregate combined mean "
    "improving improved increasing decreasing rising falling growing declining three five two four year years month "
    "day corporate whole entire actual exact approximate please also then so trend incurred have recognised "
    "recognized hold held use used increased decreased reduced improved raised grew fell 's s financial statement statements sheet using based".split()
)  # fmt: skip
_WEAK_EN = frozenset(
    "profit profits earnings sales cash asset assets liability liabilities equity deposit deposits loan loans premium "
    "premiums dividend dividends turnover shares amortization goodwill debt debts receivables receivable payables "
    "inventory inventories capital stock interest revenue revenues income depreciation investments leases expense "
    "equipment hedges allowance cogs inventory prepaid".split()
)  # fmt: skip
_WEAK = re.compile(
    r"(?:investment income|interest income|interest expense|interest paid|net worth|book value|debt|borrowings|interest cost|rental income|net assets|fixed assets|common stock|preferred stock|"
    r"income tax(?:es)?(?: expense)?|tax expense|discontinued operations|cash on hand|bad debts?|tax rate|net income|net profit|net loss|current assets|total assets|expense ratio|loss ratio|"
    r"cash conversion|profit margin|collection period|number of shares|unpaid invoices|bills to pay|dividends paid|operating costs|cost of debt|"
    r"收入|利润|成本|负债|盈利|现金流|分红|摊销|折旧|存货|库存|股息|股利|派息|净资产|利息支出|利息费用|研发投入|广告费|商誉|固定资产|无形资产|所得税|净亏损|股本|销售额|总资产|总负债|应收账款|应付账款|应收票据|应付票据|流动资产|短期借款|长期借款|股东权益|政府补助|投资收益|账上现金|杠杆率|费用率|不良率|赔付率|分红率|成本率|负债率)"
)
_ACCOUNTS = _any(
    r"\b(?:fiscal|fy ?\d|10-[kq]|annual report|quarterly report|year[- ]over[- ]year|yoy|balance sheet|income statement|cash flow statement|statement of (?:cash|financial|income|operations)|p&l|latest (?:year|quarter|fiscal)|last (?:year|quarter|fiscal)|(?:this|the) (?:year|quarter)|(?:most )?recent (?:year|quarter|fiscal)|past (?:\w+ )?years?|financial statements?|year-end|per share)\b",
    r"年报|季报|财报|报告期|年度|同比|环比|财年|上半年|季度|本期|资产负债表|利润表|现金流量表|上年|去年|今年|期末|年末|近[两二三四五\d]年",
)
_OWNED = _any(
    r"\b(?:company|firm|group|corporation|issuer|business|bank|retailer|they|it|its|their)(?:'s)?\b",
    r"公司|集团|企业|银行|股份|该司|它的?",
)
_POSSESSIVE = re.compile(
    r"\b[A-Z][\w&.-]+(?:'s|’s|s')|\b(?:did|does|has|is|was|for|of|at|do) (?:the )?[A-Z][\w&.-]+"
)
_FLOW = re.compile(
    r"\bcash\b[^?.]{0,60}\b(?:generat\w*|provid\w*|produc\w*|used?|spent|flow\w*|from|come|came|bring|brought)\b[^?.]{0,40}\b(?P<k>operat\w*|investing|financing)\b"
    r"|\b(?P<k2>operations|operating activities)\b[^?.]{0,20}\b(?:generat\w*|provid\w*|produc\w*)\b[^?.]{0,20}\bcash\b"
    r"|\bcash did (?:the |its )?(?P<k3>operations)\b"
    r"|(?P<z>经营|投资|筹资)活动[^?？]{0,8}(?:现金|货币资金)"
)
_HEDGED = re.compile(
    r"\bif\b[^.?]{0,90}\bnot (?:a )?(?:useful|relevant|meaningful|applicable|suitable|appropriate|measured)|如果?.{0,30}不(?:适用|相关|适合|具有?意义)"
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a question, without the blanks around them."""
    start = 0
    for m in [*_STOP.finditer(text), None]:
        end = m.end() if m else len(text)
        piece = text[start:end]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end


def asks(sentence: str, language: str) -> bool:
    """Whether a sentence asks for something, or is so short that it can be nothing else ("FY22 quick ratio")."""
    if language == "zh":
        return bool(_ASKS_ZH.search(sentence)) or len(sentence) <= 24
    return bool(_ASKS_EN.search(sentence)) or (
        len(sentence.split()) <= _SHORT_EN
        and not re.search(r"\b(?:is|are|was|were|has|have|can|will|may)\b", sentence)
    )


def forbidden(sentence: str, language: str) -> bool:
    """Whether it asks for reasons, words, rules, people, or anything but a figure of the accounts."""
    if language == "zh" and _FORBIDDEN_ZH.search(sentence):
        return True
    return bool(_FORBIDDEN_EN.search(sentence))


def instructs(sentence: str) -> bool:
    """Whether a sentence only says how to answer, or who is asking."""
    return bool(_INSTRUCTS.search(sentence)) and not _ASIDE.search(sentence)


def wants_words(text: str) -> bool:
    """Whether a question goes on to ask what its metric means."""
    return bool(_MEANS.search(text))


def defines(sentence: str) -> bool:
    """Whether a sentence only defines the metric."""
    return bool(_DEFINES.search(sentence)) and not _ASIDE.search(sentence)


def head(before: str, after: str, language: str) -> bool:
    """Whether a name between `before` and `after` is the head of its phrase: not "revenue recognition"."""
    if language == "zh" and (not after or not after[0].isascii() or after[0] in ",.?;:()/ %+-*="):
        return bool(_NEXT_ZH.match(after)) and not _BEFORE_ZH_BAD.search(before)
    return bool(_NEXT_EN.match(after))


def qualified(before: str, name: str, key: str, question: str) -> str:
    """The row label that a lower-case word before a line's name makes of it ("the cloud revenue"); "" where
    the word is a common one, a name, a verb, or says how long. Formulas are left alone."""
    m = re.search(r"(?:^|([\w'.,?:]+) )([a-z][a-z&/-]*) $", before)
    if m is None or key.startswith("f:") or m[2] in _COMMON_BEFORE or _LASTING.search(m[2]):
        return ""
    if not (m[1] and (m[1].endswith(("'s", "s'")) or m[1] in _BEFORE_LABEL or m[1][-1].isdigit())):
        return ""
    word = m[2]
    capital = word[0].upper() + word[1:]
    if re.search(rf"(?<![A-Za-z])(?:{re.escape(capital)}|{re.escape(word.upper())})(?![A-Za-z])", question):
        return ""
    return f"{word} {name}"


def bound(core: str) -> tuple[int, str]:
    """What a question holds the metric against: 1 and the number for "above 1.5", -1 for "below 20%"; 0 and
    "" for nothing."""
    m = _BOUND.search(core)
    if m is None:
        return 0, ""
    return (1 if m["up"] else -1), m["n"]


def cash_flow(sentence: str) -> str:
    """The flow that a sentence about cash means ("cash generated from operations"); "" for cash that is held."""
    m = _FLOW.search(sentence)
    if m is None:
        return ""
    kind = (m["k"] or m["k2"] or m["k3"] or m["z"])[:6]
    return {"operat": "operating cash flow", "invest": "investing cash flow", "financ": "financing cash flow",
            "经营": "operating cash flow", "投资": "investing cash flow", "筹资": "financing cash flow"}[kind]  # fmt: skip


def weak(name: str) -> bool:
    """Whether a name is an everyday word too, and says little without a period."""
    return name in _WEAK_EN or bool(_WEAK.fullmatch(name))


def accounts(text: str) -> bool:
    """Whether something says that a company's accounts are spoken of."""
    return bool(_ACCOUNTS.search(text))


def owned(text: str, question: str) -> bool:
    """Whether a company is spoken of."""
    return bool(_OWNED.search(text)) or bool(_POSSESSIVE.search(question))


def hedged(text: str) -> bool:
    """Whether the question asks to say so if the metric does not suit."""
    return bool(_HEDGED.search(text))


# --- Combinations of two names

_SHARE_BETWEEN = re.compile(
    r"^\)?\s*(?:\([^)]*\)\s*)?(?:,? ?expressed |measured |amounts? |expenses? |spending |in \w+ |costs? )*(?:was |were |is |are )?(?:as |in )?(?:an? )?(?:percentage|percent|per cent|%|share|proportion|fraction|portion) (?:of|to) (?:the |its |total |net |annual |consolidated |company's |fy ?\d+ |\d{4} )*$"
)
_RELATIVE = re.compile(
    r"^ (?:relative|in relation|compared|in proportion|as compared) (?:to|with) (?:the |its |total |net )*$"
)
_DIVIDED = re.compile(r"^ ?(?:\([^)]*\) ?)?(?:/|÷|divided by|over) ?(?:the |its |total )*$")
_TO = re.compile(r"^ ?-? ?to ?-? ?(?:the |its |total |average )*$")
_LESS = re.compile(r"^ ?(?:less|minus|net of|after deducting|-|–|excluding) ?(?:the |its |total )*$")
_PLUS = re.compile(r"^ ?(?:plus|\+) ?(?:the |its |total )*$")
_AND = re.compile(r"^ and (?:the |its |total )*$")
_SHARE_BEFORE = re.compile(
    r"\b(?:what|which) (?:percentage|percent|per cent|%|share|proportion|portion|fraction) of (?:the |its |total |net |annual |fy ?\d+ |\d{4} |[\w&.-]+'s )*$|\bhow much of (?:the |its |total |net |[\w&.-]+'s |fy ?\d+ )*$|\b(?:percentage|share|proportion|portion) of (?:the |its |total |net |[\w&.-]+'s )*$"
)
_CAME = re.compile(
    r"^[^?]{0,60}?\b(?:was|were|is|are|did|does|do|went|came|goes|comes|that|spent|paid|consumed|represented|made|accounted|consisted|derived|from|taken|returned)\b[^?]{0,40}$"
)
_SHARE_ZH = re.compile(
    r"^(?:金额|总额|额|的金额)?(?:分别)?(?:占|占当[年期]|占同期|占到|相[当对]于)(?:公司|当年|当期|同期|的|总|其|全年|全部)*$"
)
_IN_ZH = re.compile(r"^(?:总额|净额|金额|余额)?(?:中|里)(?:的|,|有多少是|有多少来自|有多少用于)*$")
_OVER_ZH = re.compile(r"^(?:总额|净额|金额|余额)?(?:除以|/|÷|比上|[与和同]|对)(?:公司|总|的)*$")
_LESS_ZH = re.compile(r"^(?:总额|净额|金额|余额)?(?:减去?|扣除|-)(?:公司|总)*$")
_PLUS_ZH = re.compile(r"^(?:总额|净额|金额|余额)?(?:加上?|\+|[与和])(?:公司|总)*$")
_LISTED = re.compile(
    r"^(?:\s*\([^)]*\))?\s*(?:,|and|or|as well as|along with|、|和|及|以及|与|;|,\s*and|,\s*as well as)\s*(?:the |its |total |net |also )*(?:\w+'s )?$"
)


def combination(before: str, between: str, after: str, language: str) -> str:
    """How two names are combined: "%", "/", "-", "+" ("~" in front: the second over the first); "" not."""
    if language == "zh":
        return _combination_zh(between, after)
    if _SHARE_BETWEEN.match(between) or _RELATIVE.match(between):
        return "%"
    if _SHARE_BEFORE.search(before) and _CAME.match(between):
        return "~%"
    if _DIVIDED.match(between):
        return "/"
    if _TO.match(between) and (
        re.search(r"\bratios?\b", before) or re.match(r"\W*(?:\([^)]*\) )?ratios?\b", after)
    ):
        return "/"
    if _LESS.match(between):
        return "-"
    if _PLUS.match(between) or (
        _AND.match(between) and re.search(r"\b(?:sum of|combined)\b[^,?]{0,40}$", before)
    ):
        return "+"
    if _AND.match(between) and re.search(r"\bdifference between\b[^,?]{0,40}$", before):
        return "-"
    if _AND.match(between) and re.search(r"\bratio between\b[^,?]{0,40}$", before):
        return "/"
    return ""


def _combination_zh(between: str, after: str) -> str:
    if _SHARE_ZH.match(between):
        return "%"
    if _IN_ZH.match(between) and re.match(r"(?:的)?(?:占比|比例|比重|占|所占)", after):
        return "~%"
    if _LESS_ZH.match(between) or (_OVER_ZH.match(between) and re.match(r"之?的?(?:差额?)", after)):
        return "-"
    if _OVER_ZH.match(between) and (
        re.search(r"[除/÷比对]", between) or re.match(r"(?:之|的)?(?:比[率值例]?|倍数)", after)
    ):
        return "/"
    if _PLUS_ZH.match(between) and (
        re.search(r"[加+]", between) or re.match(r"(?:之|的)?(?:总?和|合计)", after)
    ):
        return "+"
    return ""


def listed(between: str) -> bool:
    """Whether two names stand in one list ("revenue, net income and EPS")."""
    return bool(_LISTED.match(between))


# --- What is done over the periods

_AIMS_EN: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    (Aim.CAGR, re.compile(r"\bcagr\b|\bcompound(?:ed)?(?: annual(?:i[sz]ed)?)?(?: rate of)? (?:growth|rate)\b|\bannuali[sz]ed growth\b")),
    (Aim.AVERAGE_GROWTH, re.compile(r"\baverage (?:annual |yearly |year-over-year |yoy )?(?:percentage )?(?:growth|increase|change)\b")),
    (Aim.HIGHEST, re.compile(r"\b(?:which|what)(?: of the| fiscal| financial| two| three)* (?:years?|quarters?|periods?)\b.*\b(?:highest|largest|greatest|most|best|biggest|peak\w*|higher|larger)\b")),
    (Aim.LOWEST, re.compile(r"\b(?:which|what)(?: of the| fiscal| financial| two| three)* (?:years?|quarters?|periods?)\b.*\b(?:lowest|smallest|least|worst|lower|smaller)\b")),
    (Aim.AVERAGE, re.compile(r"\b(?:average|mean|avg\.?)\b")),
    (Aim.TOTAL, re.compile(r"\b(?:cumulative(?:ly)?|aggregate|in aggregate|altogether|combined total|sum of)\b")),
    (Aim.SIGN, re.compile(r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have)\b[^?]*\b(?:positive|negative)\b|\bpositive or negative\b")),
    (Aim.TREND, re.compile(
        r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b[^?]*\b(?:reduc\w*|rise|fall|improv\w*|deteriorat\w*|worsen\w*|increas\w*|decreas\w*|grow\w*|grew|ris(?:e|en|ing)|rose|fall\w*|fell|declin\w*|expand\w*|shr[iu]nk\w*|better|worse|higher|lower|larger|smaller|up|down|drop\w*|chang\w*|more|less|contract\w*|consistent|stable|weaken\w*|strengthen\w*)\b"
        r"|\bwhether\b[^?]*\b(?:improv\w*|deteriorat\w*|worsen\w*|increas\w*|decreas\w*|grow\w*|grew|rose|fell|declin\w*|higher|lower|better|worse)\b"
        r"|\bhow (?:has|have|did|does|do)\b[^?]*\b(?:compar\w*|chang\w*|develop\w*|evolv\w*|trend\w*|move\w*|moved)\b|\btrend (?:in|of)\b")),
    (Aim.GROWTH, re.compile(
        r"\b(?:growth|grew|grow|grown)\b|\b(?:percent(?:age)?|%|yoy|year[- ]over[- ]year|y/y|year-on-year|quarter-over-quarter|qoq|relative|sequential) (?:change|increase|decrease|decline|rise|drop|difference|fall)\b"
        r"|\bchange\b[^?]{0,60}\b(?:in (?:percent|percentage terms|%)|as a percent\w*|percent(?:age)?\b(?! points))|\bby (?:what|how many) (?:percent(?:age)?|%)(?! point)|\b(?:what|how many) percent(?:age)? did\b|\bhow many percent\b|\b(?:rate of (?:change|increase|growth))\b|\bfaster\b")),
    (Aim.DIFFERENCE, re.compile(
        r"\b(?:change|increase|decrease|decline|difference|rise|drop|reduction|movement|swing)\b (?:in|of|between)\b|\b(?:change|increase|decrease|decline|difference)\b|\bhow much (?:more|less|higher|lower|did|has|have|had)\b[^?]*\b(?:increas\w*|decreas\w*|ris\w*|rose|fall\w*|fell|chang\w*|declin\w*|improv\w*|drop\w*|than)\b|\bby how (?:much|many)\b|\bpercentage points?\b|\bbasis points?\b|\bbps\b")),
    (Aim.SOUND, re.compile(r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b[^?]*\b(?:above|below|over|under|exceed\w*|greater than|more than|higher than|at least|less than|lower than) \d(?!\d{3})|\b(?:healthy|adequate|sufficient|sound|strong|solid|comfortabl\w+|acceptable|enough|good|safe|weak|liquid)\b")),
)  # fmt: skip
_AIMS_ZH: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    (Aim.CAGR, re.compile(r"复合(?:年均|年度|年|平均)?(?:增长率|增速)|年均?复合|cagr")),
    (Aim.AVERAGE_GROWTH, re.compile(r"(?:平均|年均)(?:每年|年)?(?:同比)?(?:增长率|增速|增幅)")),
    (Aim.HIGHEST, re.compile(r"哪一?(?:年|个?季度?).*(?:最高|最大|最多|最好|更高|更大)|(?:最高|最大|最多)的是?哪")),
    (Aim.LOWEST, re.compile(r"哪一?(?:年|个?季度?).*(?:最低|最小|最少|最差|更低|更小)|(?:最低|最小|最少)的是?哪")),
    (Aim.AVERAGE, re.compile(r"平均|均值|年均")),
    (Aim.TOTAL, re.compile(r"累计|合计共|总共合计|之和|加总|年合计")),
    (Aim.SIGN, re.compile(r"(?:是否|有没有|是不是)?[为是]?[正负](?:数|值)?(?:吗|$|[?？])|(?:是否|是不是)(?:为|是)?[正负]")),
    (Aim.TREND, re.compile(r"(?:是否|有没有|有无|是不是).*(?:提高|提升|改善|好转|上升|增长|增加|下降|下滑|减少|降低|恶化|变[好差]|扩大|缩小|变化|高于|低于)|(?:提高|提升|改善|好转|上升|增长|增加|下降|下滑|减少|降低|恶化|变好|变差|扩大|缩小)了?吗|如何变化|变化情况|变化趋势|变动趋势|走势")),
    (Aim.GROWTH, re.compile(r"同比|环比|增长率|增速|增幅|增长了?(?:多少|百分|几|%)|下降了?(?:百分|几成|%)|降幅|变动(?:比例|幅度|率)|增长$|增长[?？]|增长多少|百分之几")),
    (Aim.DIFFERENCE, re.compile(r"变动(?:额|多少|了多少)?|变化(?:了多少|额|多少)|增加(?:了)?(?:多少|几|额)|减少(?:了)?(?:多少|几|额)|(?:上升|下降|提高|降低|提升|下滑)(?:了)?(?:多少|几)|差额|相差|百分点|[比较].*多(?:了)?多少|高了多少|低了多少")),
    (Aim.SOUND, re.compile(r"健康|充足|足够|合理|良好|正常|稳健|安全")),
)  # fmt: skip
_YES_NO = re.compile(
    r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b|\bwhether\b|是否|有没有|是不是|有无|吗"
)
_EVERY = re.compile(
    r"\b(?:every|each|consistently|steadily|continuous\w*|consecutive\w*|over the (?:years|period))\b|每年|逐年|连续|持续|一直"
)
_POINTS = re.compile(r"\b(?:percentage|basis) points\b|百分点")
_UP_EN = re.compile(
    r"\b(?:increas\w*|grow\w*|grew|ris(?:e|en|ing)|rose|expand\w*|higher|larger|up|more|positive|strengthen\w*)\b"
)
_DOWN_EN = re.compile(
    r"\b(?:decreas\w*|fall\w*|fell|declin\w*|shr[iu]nk\w*|lower|smaller|down|drop\w*|less|contract\w*|negative)\b"
)
_UP_ZH = re.compile(r"上升|增长|增加|扩大|提高|提升|高于|为正|正数|[是为]正")
_DOWN_ZH = re.compile(r"下降|下滑|减少|降低|缩小|低于|为负|负数|[是为]负")
_BETTER = re.compile(r"\b(?:improv\w*|better|strengthen\w*)\b|改善|好转|变好")
_WORSE = re.compile(r"\b(?:deteriorat\w*|worsen\w*|worse|weaken\w*)\b|恶化|变差")
_SPELLED = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "两": 2,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "十": 10,
}
_SPAN = re.compile(
    r"\b(?P<n>\d{1,2}|two|three|four|five|six|seven|ten)[ -]*(?:fiscal |consecutive )?(?:years?|yr|quarters?)\b(?! (?:ended|end|from|ago))|(?:近|过去|最近|前|连续)(?P<z>[两二三四五十\d])(?:个)?(?:年|季)|(?P<z2>[两二三四五十])年(?:平均|均值|复合|累计|合计)"
)
_SEQUENTIAL = re.compile(
    r"\b(?:sequential(?:ly)?|quarter[- ](?:over|on)[- ]quarter|qoq|q/q|(?:previous|prior|preceding|last) quarter)\b|环比|上一?季"
)


def aim(core: str, language: str) -> Aim:
    """What the asking sentence wants done with its metric."""
    without = re.sub(
        r"\baverage (?=(?:collection|cost of|age|shares|balance|interest-earning))|weighted[- ]average",
        "",
        core,
    )
    if _POINTS.search(without):
        return Aim.DIFFERENCE
    if bound(without)[0] and _YES_NO.search(without):
        return Aim.SOUND
    for kind, pattern in _AIMS_ZH if language == "zh" else _AIMS_EN:
        if pattern.search(without):
            return kind
    return Aim.VALUE


def supposed(core: str, language: str) -> tuple[int, int]:
    """What a question of yes or no supposes: whether it rose (1) or fell (-1), improved (1) or worsened (-1)."""
    up, down = (_UP_ZH, _DOWN_ZH) if language == "zh" else (_UP_EN, _DOWN_EN)
    either = bool(up.search(core)), bool(down.search(core))
    judged = bool(_BETTER.search(core)), bool(_WORSE.search(core))
    if not re.search(
        r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b|\bwhether\b|是否|有没有|是不是|有无|吗",
        core,
    ):
        return 0, 0
    return either[0] - either[1], judged[0] - judged[1]


def every(core: str) -> bool:
    """Whether each period on the way matters, not the first and the last alone."""
    return bool(_EVERY.search(core))


def span(core: str) -> int:
    """The number of periods that a sentence names ("three-year average", 近三年); 0 where it names none."""
    m = _SPAN.search(core)
    if m is None:
        return 0
    said = m["n"] or m["z"] or m["z2"]
    return int(said) if said.isdigit() else _SPELLED[said]


def sequential(core: str) -> bool:
    """Whether quarters are compared with the quarter before."""
    return bool(_SEQUENTIAL.search(core))
