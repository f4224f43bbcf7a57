from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import LlmParams
from polite_flamingo.models.llm import load_llm
from polite_flamingo.models.llm.local import LocalModel

TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
MESSAGES = [
    {"role": "user", "content": "w1 w2"},
    {"role": "assistant", "content": "w3"},
    {"role": "user", "content": "w4"},
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llm")
    vocabulary = {"[UNK]": 0, "[EOS]": 1, '"': 2, **{f"w{n}": n + 3 for n in range(29)}}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="[EOS]")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        eos_token_id=1,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> LocalModel:
    return LocalModel(str(checkpoint), max_new_tokens=12, temperature=1.0, device="cpu")


def test_the_prompt_is_the_chat_template_open_at_the_prefill(model: LocalModel) -> None:
    assert model.prompt(MESSAGES, 'w5 "') == (
        '[user] w1 w2\n[assistant] w3\n[user] w4\n[assistant] w5 "'
    )


def test_equal_seeds_give_equal_text(model: LocalModel) -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    texts = [model.complete(MESSAGES, prefill='w5 "', seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert 0 < len(texts[0].split()) <= 12
    assert "w1 w2" not in texts[0]
    assert torch.equal(torch.get_rng_state(), state), "the caller's random state was touched"


def test_text_ends_before_a_stop_string(model: LocalModel) -> None:
    whole = model.complete(MESSAGES, seed=1)
    word = whole.split()[3]
    stopped = model.complete(MESSAGES, stop=(word,), seed=1)
    assert word not in stopped
    assert whole.startswith(stopped)


def test_a_model_without_a_template_gets_plain_lines(checkpoint: Path, tmp_path: Path) -> None:
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(checkpoint, bare)
    (bare / "chat_template.jinja").unlink()
    llm = load_llm(LlmParams(kind="local", model=str(bare), max_new_tokens=2))
    assert isinstance(llm, LocalModel)
    assert llm.prompt(MESSAGES[:1], "w5") == "user: w1 w2\nassistant: w5"
    assert isinstance(llm.complete(MESSAGES), str)


def test_a_missing_checkpoint_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be loaded") as error:
        LocalModel(str(tmp_path / "nothing"))
    assert "\n" not in str(error.value)
