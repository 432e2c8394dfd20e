"""The chat templates of model families, in the constructs that their files use: how a prompt comes out, that
the model is not asked to think aloud, and that no text can speak for the template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.models.generation import ChatTemplate, Prompt, without_thoughts
from tests.models.test_llm import Words, _text

QWEN3 = """\
{%- if tools %}{{- '<|im_start|>system\\nTools' }}{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string
            and not(message.content.startswith('<tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
QWEN25 = """\
{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are helpful.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first)
            or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
QWEN3_THINKING = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"""
LLAMA3 = """\
{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
    {{- message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""
GEMMA2 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System"
    " role not supported') }}"
    "{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{{ '<start_of_turn>' + message['role'] + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"
)
GEMMA3 = """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {{ '<start_of_turn>' + message['role'] + '\\n' + (first_user_prefix if loop.first else "") }}
    {{- message['content'] | trim }}{{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}"""
PHI3 = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\\n' +"
    " message['content'] + "
    "'<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
PHI4_MINI = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] +"
    " '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
)
MINICPM = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{'<用户>' + message['content'].strip()"
    " + '<AI>'}}{% else %}{{message['content'].strip()}}{% endif %}{% endfor %}"
)
MISTRAL = """\
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}
    {%- endif %}
{%- endfor %}"""
SMOLLM3 = (
    "{%- set today = strftime_now('%d %B %Y') -%}<|im_start|>system\nToday: {{ today"
    " }}\n{% if messages[0].role == "
    "'system' %}{{ messages[0].content }}{% endif %}<|im_end|>\n{% for m in messages %}{%"
    " if m.role == 'user' %}"
    "<|im_start|>user\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n{% endif %}"
)

FAMILIES = {
    "Qwen 2.5": (QWEN25, ("<|im_start|>", "<|im_end|>")),
    "Qwen3": (QWEN3, ("<|im_start|>", "<|im_end|>", "<think>", "</think>")),
    "Qwen3 that always thinks": (QWEN3_THINKING, ("<|im_start|>", "<|im_end|>", "<think>", "</think>")),
    "Llama 3": (
        LLAMA3,
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ),
    "Gemma 2": (GEMMA2, ("<bos>", "<start_of_turn>", "<end_of_turn>")),
    "Gemma 3": (GEMMA3, ("<bos>", "<start_of_turn>", "<end_of_turn>")),
    "Phi 3": (PHI3, ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")),
    "Phi 4 mini": (PHI4_MINI, ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")),
    "MiniCPM": (MINICPM, ("<用户>", "<AI>")),
    "Mistral": (MISTRAL, ("<s>", "[INST]", "[/INST]")),
    "SmolLM3": (SMOLLM3, ("<|im_start|>", "<|im_end|>", "<think>", "</think>")),
}
BEGIN = {"Llama 3": "<|begin_of_text|>", "Gemma 2": "<bos>", "Gemma 3": "<bos>", "Mistral": "<s>"}
RENDERED = {
    "Qwen 2.5": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
    "<|im_start|>assistant\n",
    "Qwen3": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "Qwen3 that always thinks": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "Llama 3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n"
    "Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "Gemma 2": "<bos><start_of_turn>user\nBe brief.\n\nWho?<end_of_turn>\n<start_of_turn>model\n",
    "Gemma 3": "<bos><start_of_turn>user\nBe brief.\n\nWho?<end_of_turn>\n<start_of_turn>model\n",
    "Phi 3": "<|system|>\nBe brief.<|end|>\n<|user|>\nWho?<|end|>\n<|assistant|>\n",
    "Phi 4 mini": "<|system|>Be brief.<|end|><|user|>Who?<|end|><|assistant|>",
    "MiniCPM": "Be brief.<用户>Who?<AI>",
    "Mistral": "<s>[INST] Be brief.\n\nWho?[/INST]",
    "SmolLM3": "<|im_start|>system\nToday: 26 July 2024\nBe"
    " brief.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n",
}


def template(family: str, kind: str) -> tuple[ChatTemplate, Words]:
    """`kind`: the markers are control tokens, words of the vocabulary, or no tokens of their own at all."""
    source, markers = FAMILIES[family]
    vocabulary = {
        "control": Words(control=markers),
        "words": Words(plain=markers),
        "letters": Words(),
    }[kind]
    return ChatTemplate(source, vocabulary, bos=BEGIN.get(family, "")), vocabulary


@pytest.mark.parametrize("kind", ["control", "words", "letters"])
@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_comes_out_as_the_family_expects_it(family: str, kind: str) -> None:
    chat, vocabulary = template(family, kind)
    assert _text(vocabulary, chat.encode(Prompt("Be brief.", "Who?"))) == RENDERED[family]


@pytest.mark.parametrize("kind", ["control", "words", "letters"])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_can_speak_for_the_template(family: str, kind: str) -> None:
    chat, vocabulary = template(family, kind)
    attacks = [*FAMILIES[family][1], *(m * 2 for m in FAMILIES[family][1])]
    harmless = _text(vocabulary, chat.encode(Prompt("a", "b")))
    attacked = _text(vocabulary, chat.encode(Prompt("a" + "".join(attacks), "b" + " ".join(attacks))))
    for marker in FAMILIES[family][1]:
        if marker in RENDERED[family]:
            assert attacked.count(marker) == harmless.count(marker)


EXAMPLES = (("Ask one", "Say one"), ("Ask two", "Say two"))


@pytest.mark.parametrize("examples", [(), EXAMPLES])
@pytest.mark.parametrize("family", FAMILIES)
def test_beginning_is_stable_whatever_the_user_says(
    family: str, examples: tuple[tuple[str, str], ...]
) -> None:
    chat, vocabulary = template(family, "control")
    users = "Who?", "1. Something else\nentirely"
    encoded = [chat.encode_parts(Prompt("Answer from the quotes only.", user, examples)) for user in users]
    (tokens, (stable, _)), (others, (same, _)) = encoded
    assert stable == same
    assert tokens[:stable] == others[:stable]
    beginning = _text(vocabulary, tokens[:stable])
    if family != "Mistral" or not examples:  # it puts the instructions into the last turn
        assert "Answer from the quotes only" in beginning
    assert all(text in beginning for example in examples for text in example)


@pytest.mark.parametrize("family", FAMILIES)
def test_ending_stands_in_the_turn_of_the_user_behind_a_border(family: str) -> None:
    chat, vocabulary = template(family, "control")
    whole = _text(vocabulary, chat.encode(Prompt("Be brief.", "Who? Say it.", EXAMPLES)))
    tokens, (stable, end) = chat.encode_parts(Prompt("Be brief.", "Who?", EXAMPLES, ending=" Say it."))
    assert _text(vocabulary, tokens) == whole
    assert _text(vocabulary, tokens[stable:end]) == "Who?"
    assert _text(vocabulary, tokens[end:]).startswith(" Say it.")


def test_examples_are_turns_of_their_own() -> None:
    chat, vocabulary = template("Qwen 2.5", "control")
    turn = "<|im_start|>{}\n{}<|im_end|>\n"
    assert _text(vocabulary, chat.encode(Prompt("Be brief.", "Who?", EXAMPLES[:1]))) == (
        turn.format("system", "Be brief.")
        + turn.format("user", "Ask one")
        + turn.format("assistant", "Say one")
        + turn.format("user", "Who?")
        + "<|im_start|>assistant\n"
    )


def test_template_without_turns_of_the_assistant_gets_examples_with_the_instructions() -> None:
    users = "{% for m in messages if m.role == 'user' %}<start>{{ m.content }}<end>{% endfor %}"
    vocabulary = Words(control=("<start>", "<end>"))
    tokens = ChatTemplate(users, vocabulary).encode(Prompt("Be brief.", "Who?", EXAMPLES))
    instructions = "Be brief.\n\nAsk one\nSay one\n\nAsk two\nSay two\n\n"
    assert _text(vocabulary, tokens) == f"<start>{instructions}Who?<end>"


@given(st.text("ab <>/think\n", max_size=40))
def test_answer_without_thoughts_comes_through_unchanged(whole: str) -> None:
    if not whole.lstrip().startswith("<think>"):
        assert without_thoughts(whole) == whole


@given(thought=st.text("ab \n.", max_size=20), answer=st.text("xyz .", max_size=20))
def test_thoughts_before_the_answer_are_left_out(thought: str, answer: str) -> None:
    assert without_thoughts(f"\n<think>{thought}</think>\n\n{answer}") == answer.lstrip()


def test_thoughts_that_never_end_are_no_answer() -> None:
    assert without_thoughts("<think>Let me see") == ""
