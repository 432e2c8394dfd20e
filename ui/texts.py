"""The words of the page in English and Chinese. Both languages fill every field, or the module does not
import."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types import AnswerKind, ClaimState, FileStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """One language. Fields with braces are format strings."""

    code: str
    tagline: str
    local: str
    local_hint: str
    remote: str
    remote_hint: str
    language_label: str
    theme: str
    library: str
    library_toggle: str
    index: str
    scope: str
    scope_hint: str
    upload: str
    upload_hint: str
    new_index: str
    new_index_hint: str
    create: str
    documents: str
    no_documents: str
    no_index: str
    unreadable_title: str
    pages: str
    passages: str
    column_file: str
    column_status: str
    column_detail: str
    added: str
    updated: str
    skipped: str
    removed: str
    failed: str
    reading: str
    embedding: str
    scanning: str
    upload_done: str
    upload_failed: str
    pages_without_text: str
    question: str
    question_hint: str
    ask: str
    stop: str
    new_conversation: str
    keys: str
    empty_title: str
    empty_text: str
    samples: str
    you: str
    stages: dict[str, str]
    working: str
    draft: str
    draft_note: str
    evidence: str
    evidence_found: str
    evidence_found_one: str
    relevance: str
    open_source: str
    kinds: dict[AnswerKind, str]
    kind_notes: dict[AnswerKind, str]
    states: dict[ClaimState, str]
    state_notes: dict[ClaimState, str]
    exact_words: str
    refused_why: str
    certificate: str
    certificate_title: str
    searched_documents: str
    searched_passages: str
    unreadable: str
    none: str
    best_score: str
    threshold: str
    below: str
    scope_used: str
    whole_index: str
    method: str
    method_dense: str
    method_lexical: str
    nearest: str
    dropped: str
    dropped_note: str
    searched_as: str
    more_documents: str
    copy: str
    copied: str
    retry: str
    references: str
    stopped: str
    stopped_note: str
    stopped_early: str
    error: str
    unexpected: str
    took: str
    seconds: str
    source: str
    source_empty_title: str
    source_empty: str
    close: str
    page: str
    page_of: str
    cited_words: str
    passage: str
    supports: str
    refers_to: str
    open_reference: str
    superseded: str
    repealed: str
    ended_by: str
    page_image: str
    page_image_alt: str
    page_loading: str
    page_gone: str
    page_changed: str
    page_failed: str
    page_no_boxes: str
    passage_changed: str
    passage_gone: str
    table_columns: str
    busy: str
    understood: str
    limited: str
    why: str
    why_note: str
    narrow: str
    companies: str
    years: str
    formats: str
    languages: str
    authority: str
    in_force: str
    in_force_hint: str
    in_force_on: str
    bad_day: str
    clear_filters: str
    authorities: dict[str, str]
    statuses: dict[FileStatus, str]


ENGLISH = Texts(
    code="en",
    tagline="Answers from your documents, each sentence traced to its source",
    local="On this machine",
    local_hint="Documents, questions and answers stay on the machine that runs Citewise.",
    remote="Questions and quotes go to {host}",
    remote_hint="The language model runs at {host}: questions and the quotes found for them are sent there.",
    language_label="Language of the page",
    theme="Light or dark",
    library="Documents",
    library_toggle="Show or hide documents",
    index="Index",
    scope="Search in",
    scope_hint="All documents, or choose some, or type a pattern such as 2024*",
    upload="Add documents",
    upload_hint="PDF, Word, HTML, Markdown, text, CSV, Excel. Drop files here or press the button.",
    new_index="New index",
    new_index_hint="Name of the new index",
    create="Create",
    documents="Documents: {count}",
    no_documents="No documents yet. Add some to ask questions about them.",
    no_index="No index yet. Give one a name to begin.",
    unreadable_title="Could not be read",
    pages="pages: {count}",
    passages="{count} passages",
    column_file="File",
    column_status="Status",
    column_detail="Detail",
    added="added",
    updated="updated",
    skipped="unchanged",
    removed="removed",
    failed="not read",
    reading="Reading files",
    embedding="Indexing passages",
    scanning="Looking at files",
    upload_done="{ok} of {total} files can be asked",
    upload_failed="The files could not be added",
    pages_without_text="pages without text: {count}",
    question="Question",
    question_hint="Ask about these documents",
    ask="Ask",
    stop="Stop",
    new_conversation="New conversation",
    keys="Enter to ask, Shift+Enter for a new line, / to type, Esc to close the source",
    empty_title="What would you like to find in these documents?",
    empty_text="You see the evidence first, then an answer whose every sentence has been checked against it. "
    "Where the documents are silent, Citewise says so.",
    samples="For example",
    you="Question",
    stages={
        "searching": "Searching",
        "evidence": "Evidence",
        "writing": "Writing",
        "verifying": "Verifying",
    },
    working="Working",
    draft="Draft",
    draft_note="not yet checked against the documents",
    evidence="Evidence",
    evidence_found="{count} statements found in the documents",
    evidence_found_one="one statement found in the documents",
    relevance="relevance {score}",
    open_source="Open source {number}",
    kinds={
        AnswerKind.WRITTEN: "Answer",
        AnswerKind.QUOTED: "In the documents’ own words",
        AnswerKind.REFUSED: "Not found in these documents",
    },
    kind_notes={
        AnswerKind.WRITTEN: "written by the language model, each sentence checked against its source",
        AnswerKind.QUOTED: "quoted without change",
        AnswerKind.REFUSED: "no answer is better than an unsupported one",
    },
    states={
        ClaimState.SUPPORTED: "Supported",
        ClaimState.PARTIAL: "Partly supported",
        ClaimState.UNSUPPORTED: "Not supported",
    },
    state_notes={
        ClaimState.SUPPORTED: "The source says this.",
        ClaimState.PARTIAL: "Part of this was not found in the source. Read the source.",
        ClaimState.UNSUPPORTED: "The documents do not say this. Do not rely on it.",
    },
    exact_words="exact words",
    refused_why="The documents searched do not hold an answer to this question.",
    certificate="Search certificate",
    certificate_title="What was searched",
    searched_documents="Documents searched",
    searched_passages="Passages searched",
    unreadable="Files that could not be read",
    none="none",
    best_score="Best match",
    threshold="needed",
    below="below what an answer needs",
    scope_used="Scope",
    whole_index="all documents of the index",
    method="Method",
    method_dense="meaning and words",
    method_lexical="words",
    nearest="Nearest passages",
    dropped="Left out",
    dropped_note="sentences of the draft that did not pass the check",
    searched_as="Searched as: {question}",
    more_documents="and {count} more",
    copy="Copy with references",
    copied="Copied",
    retry="Ask again",
    references="References",
    stopped="Stopped",
    stopped_note="Stopped before an answer was checked. What was found until then is shown below.",
    stopped_early="Stopped early: only what had been written until then was checked.",
    error="This question could not be answered",
    unexpected="Something went wrong inside Citewise. The log on the machine that runs it says more.",
    took="{seconds} s",
    seconds="seconds",
    source="Source",
    source_empty_title="The source appears here",
    source_empty="Choose a citation number in an answer to read the exact words in their passage "
    "and on their page.",
    close="Close source",
    page="page {page}",
    page_of="page {page} of {pages}",
    cited_words="Cited words",
    passage="Passage",
    supports="Cited for",
    refers_to="Refers to",
    open_reference="Open {words}",
    superseded="Superseded{by} from {date}",
    repealed="Repealed{by} from {date}",
    ended_by=" by {name}",
    page_image="Page",
    page_image_alt="Image of page {page} of {document}, with the cited words outlined",
    page_loading="Drawing the page …",
    page_gone="The file is no longer where it was read from ({source}), so its page cannot be drawn. "
    "The text shown is the text that was indexed.",
    page_changed="The file has changed since it was indexed, so its page is not shown. "
    "Add it again to search the new version.",
    page_failed="The page could not be drawn. The text shown is the text that was indexed.",
    page_no_boxes="The words could not be located on the page image; they are marked in the text above.",
    passage_changed="The document has been indexed anew since this answer was given; "
    "the words are shown as they were cited.",
    passage_gone="The document is no longer in the index; the words are shown as they were cited.",
    table_columns="Columns",
    busy="Another upload to this index is still running. Wait until it ends, then try again.",
    understood="Understood",
    limited="Limited to",
    why="Why these passages",
    why_note="what weighs most for and against each",
    narrow="Narrow the search",
    companies="Company",
    years="Year",
    formats="Format",
    languages="Language",
    authority="Kind of legal text",
    in_force="In force on",
    in_force_hint="Year, month and day: 2024-05-01",
    in_force_on="in force on {day}",
    bad_day="“{day}” is not a date. Write year, month and day: 2024-05-01.",
    clear_filters="Clear filters",
    authorities={
        "constitution": "Constitution",
        "statute": "Statute",
        "judicial interpretation": "Judicial interpretation",
        "administrative regulation": "Administrative regulation",
        "departmental rule": "Departmental rule",
        "local rule": "Local rule",
        "case": "Case",
        "other": "Other",
    },
    statuses={
        FileStatus.OK: "Ready",
        FileStatus.EMPTY: "No text (a scan?)",
        FileStatus.PASSWORD: "Password needed",
        FileStatus.CORRUPT: "Damaged",
        FileStatus.TOO_LARGE: "Too large",
        FileStatus.TIMEOUT: "Took too long",
        FileStatus.UNSUPPORTED: "Unknown format",
        FileStatus.UNREADABLE: "Cannot be opened",
    },
)

CHINESE = Texts(
    code="zh",
    tagline="从您的文件中作答，每一句都可追溯原文",
    local="仅在本机运行",
    local_hint="文件、问题与回答都只保留在运行 Citewise 的这台机器上。",
    remote="问题与引文会发送至 {host}",
    remote_hint="语言模型运行在 {host}：每个问题及其引文都会发送到那里。",
    language_label="界面语言",
    theme="浅色或深色",
    library="文件",
    library_toggle="显示或隐藏文件栏",
    index="索引",
    scope="检索范围",
    scope_hint="默认全部；可选择文件，或输入模式，如 2024*",
    upload="添加文件",
    upload_hint="支持 PDF、Word、HTML、Markdown、文本、CSV、Excel。可将文件拖到此处，或按上方按钮。",
    new_index="新建索引",
    new_index_hint="新索引的名称",
    create="创建",
    documents="{count} 份文件",
    no_documents="尚无文件。请先添加文件，再提问。",
    no_index="尚无索引。请先为索引命名。",
    unreadable_title="无法读取",
    pages="{count} 页",
    passages="{count} 段",
    column_file="文件",
    column_status="状态",
    column_detail="说明",
    added="已添加",
    updated="已更新",
    skipped="未变化",
    removed="已移除",
    failed="未读取",
    reading="正在读取文件",
    embedding="正在编入索引",
    scanning="正在查看文件",
    upload_done="{total} 个文件中有 {ok} 个可供提问",
    upload_failed="文件未能添加",
    pages_without_text="{count} 页没有文字",
    question="问题",
    question_hint="就这些文件提问",
    ask="提问",
    stop="停止",
    new_conversation="新对话",
    keys="Enter 提问，Shift+Enter 换行，/ 开始输入，Esc 关闭原文",
    empty_title="您想在这些文件中查什么？",
    empty_text="先显示依据，再给出逐句与依据核对过的回答。文件中没有的，Citewise 会直接说明。",
    samples="例如",
    you="问题",
    stages={"searching": "检索", "evidence": "依据", "writing": "撰写", "verifying": "核对"},
    working="处理中",
    draft="草稿",
    draft_note="尚未与文件核对",
    evidence="依据",
    evidence_found="在文件中找到 {count} 处相关语句",
    evidence_found_one="在文件中找到 1 处相关语句",
    relevance="相关度 {score}",
    open_source="打开原文 {number}",
    kinds={
        AnswerKind.WRITTEN: "回答",
        AnswerKind.QUOTED: "文件原文",
        AnswerKind.REFUSED: "这些文件中没有答案",
    },
    kind_notes={
        AnswerKind.WRITTEN: "由语言模型撰写，每一句均已与原文核对",
        AnswerKind.QUOTED: "逐字引用，未作改动",
        AnswerKind.REFUSED: "没有依据时不作回答",
    },
    states={
        ClaimState.SUPPORTED: "有依据",
        ClaimState.PARTIAL: "部分有依据",
        ClaimState.UNSUPPORTED: "无依据",
    },
    state_notes={
        ClaimState.SUPPORTED: "原文有此内容。",
        ClaimState.PARTIAL: "其中一部分未在原文中找到，请阅读原文。",
        ClaimState.UNSUPPORTED: "文件中没有此内容，请勿采信。",
    },
    exact_words="原文",
    refused_why="所检索的文件中没有这个问题的答案。",
    certificate="检索证明",
    certificate_title="检索了什么",
    searched_documents="检索的文件",
    searched_passages="检索的段落",
    unreadable="无法读取的文件",
    none="无",
    best_score="最高匹配",
    threshold="所需",
    below="低于作答所需",
    scope_used="范围",
    whole_index="索引中的全部文件",
    method="方法",
    method_dense="语义与词语",
    method_lexical="词语",
    nearest="最接近的段落",
    dropped="未采用",
    dropped_note="草稿中未通过核对的语句",
    searched_as="检索用语：{question}",
    more_documents="另有 {count} 份",
    copy="复制回答与出处",
    copied="已复制",
    retry="重新提问",
    references="出处",
    stopped="已停止",
    stopped_note="在核对完成前已停止，此前找到的内容如下。",
    stopped_early="已提前停止：仅核对了此前写出的内容。",
    error="无法回答这个问题",
    unexpected="Citewise 内部出错，详情见运行它的机器上的日志。",
    took="{seconds} 秒",
    seconds="秒",
    source="原文",
    source_empty_title="原文显示在这里",
    source_empty="点按回答中的引用编号，即可在段落和页面中阅读原文。",
    close="关闭原文",
    page="第 {page} 页",
    page_of="第 {page} 页，共 {pages} 页",
    cited_words="引用的文字",
    passage="段落",
    supports="用于",
    refers_to="引用的条款",
    open_reference="打开{words}",
    superseded="自 {date} 起已被取代{by}",
    repealed="自 {date} 起已废止{by}",
    ended_by="（{name}）",
    page_image="页面",
    page_image_alt="{document} 第 {page} 页的图像，引用的文字已框出",
    page_loading="正在绘制页面……",
    page_gone="文件已不在原处（{source}），无法绘制页面。所示文字为编入索引时的文字。",
    page_changed="文件在编入索引后有改动，故不显示页面。如需检索新版本，请重新添加。",
    page_failed="无法绘制页面。所示文字为编入索引时的文字。",
    page_no_boxes="未能在页面图像上定位这些文字；上方文字中已标出。",
    passage_changed="此回答给出之后，该文件已重新编入索引；所示为当时引用的文字。",
    passage_gone="该文件已不在索引中；所示为当时引用的文字。",
    table_columns="列",
    busy="此索引正在添加其他文件，请待其完成后再试。",
    understood="理解为",
    limited="限于",
    why="为何选取这些段落",
    why_note="各段最主要的理由，正负皆列",
    narrow="缩小检索范围",
    companies="公司",
    years="年度",
    formats="格式",
    languages="语言",
    authority="法规类别",
    in_force="在此日有效",
    in_force_hint="年-月-日，如 2024-05-01",
    in_force_on="{day} 有效",
    bad_day="“{day}”不是日期，请按年-月-日填写，如 2024-05-01。",
    clear_filters="清除筛选",
    authorities={
        "constitution": "宪法",
        "statute": "法律",
        "judicial interpretation": "司法解释",
        "administrative regulation": "行政法规",
        "departmental rule": "部门规章",
        "local rule": "地方性法规",
        "case": "案例",
        "other": "其他",
    },
    statuses={
        FileStatus.OK: "可用",
        FileStatus.EMPTY: "没有文字（扫描件？）",
        FileStatus.PASSWORD: "需要密码",
        FileStatus.CORRUPT: "已损坏",
        FileStatus.TOO_LARGE: "过大",
        FileStatus.TIMEOUT: "超时",
        FileStatus.UNSUPPORTED: "格式不支持",
        FileStatus.UNREADABLE: "无法打开",
    },
)

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


def texts_for(code: str | None) -> Texts:
    """The texts of a language code or of an Accept-Language header; English for anything unknown."""
    first = (code or "").strip().lower()[:2]
    return LANGUAGES.get(first, ENGLISH)
