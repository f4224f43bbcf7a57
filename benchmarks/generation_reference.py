"""Runs in the reference environment (see generation.py): open-flamingo 2.0.1, one prompt at a time.

usage: python generation_reference.py WORK      (WORK/geometry.json and WORK/inputs.safetensors)

Builds the model of the geometry with random weights, writes WORK/lm and WORK/checkpoint.pt, says
"ready"; then, for every line {"prompts": n, "new_tokens": t} on its standard input, continues the
first n prompts and answers with a line {"seconds": s, "cpu_seconds": s,
"tokens": [[...], ...]}.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path

# open_flamingo.train imports it; nothing here logs.
sys.modules.setdefault("wandb", types.ModuleType("wandb"))

import open_clip
import torch
from openflamingo_parity.dump import shrink
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

EMBEDDING_STD = 0.05
GATE = 0.5


def tokenizer(words: int) -> PreTrainedTokenizerFast:
    """Splits at blanks; knows ``words`` words, of which three are special."""
    vocabulary = {"<s>": 0, "</s>": 1, "<unk>": 2} | {f"w{n}": n for n in range(3, words)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def build(work: Path):
    """The model of WORK/geometry.json with random weights of usual sizes and open gates."""
    from open_flamingo import create_model_and_transforms

    geometry = json.loads((work / "geometry.json").read_text())
    words = geometry["lm"]["vocab_size"]
    shrink("v2", geometry["perceiver"])
    # One function sets both sizes there; cross-attention has heads of its own.
    from open_flamingo.src import flamingo_lm

    flamingo_lm.GatedCrossAttentionBlock.keywords.update(geometry["cross_attention"])
    torch.manual_seed(0)
    lm = AutoModelForCausalLM.from_config(
        LlamaConfig(**geometry["lm"], bos_token_id=0, eos_token_id=1, pad_token_id=None)
    )
    lm.save_pretrained(work / "lm", safe_serialization=False)
    tokenizer(words).save_pretrained(work / "lm")
    (work / "benchmark-clip.json").write_text(json.dumps(geometry["clip"]))
    open_clip.add_model_config(work / "benchmark-clip.json")
    model, _, _ = create_model_and_transforms(
        "benchmark-clip",
        None,
        str(work / "lm"),
        str(work / "lm"),
        cross_attn_every_n_layers=geometry["every"],
        decoder_layers_attr_name="model.layers",
    )
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if name.endswith("_gate"):
                parameter.fill_(GATE)
            elif "embed_tokens" in name:
                parameter.copy_(EMBEDDING_STD * torch.randn(parameter.shape, generator=generator))
                # The head shares this table: special tokens score 0, so no text is cut short.
                parameter[:3] = 0.0
                parameter[words:] = 0.0
            elif parameter.ndim > 1:
                fan_in = parameter[0].numel()
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(noise * fan_in**-0.5)
    return model.eval()


@torch.inference_mode()
def continue_one_by_one(model, inputs, count: int, new_tokens: int) -> list[list[int]]:
    """New tokens of the first ``count`` prompts, greedily, one prompt at a time."""
    rows, prompt, image = [], 0, 0
    for length, images in zip(inputs["lengths"][:count], inputs["images"][:count], strict=True):
        ids = inputs["ids"][prompt : prompt + int(length)][None]
        pixels = inputs["pixels"][image : image + int(images)][None, :, None]
        prompt, image = prompt + int(length), image + int(images)
        made = model.generate(
            vision_x=pixels,
            lang_x=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new_tokens,
            num_beams=1,
            do_sample=False,
            pad_token_id=1,
        )
        rows.append(made[0, ids.shape[1] :].tolist())
    return rows


def main() -> None:
    """Build the model, then answer the lines of standard input."""
    work = Path(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    model = build(work)
    torch.save(model.state_dict(), work / "checkpoint.pt")
    inputs = load_file(work / "inputs.safetensors")
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        start, cpu = time.perf_counter(), time.process_time()
        tokens = continue_one_by_one(model, inputs, asked["prompts"], asked["new_tokens"])
        spent = {
            "seconds": time.perf_counter() - start,
            "cpu_seconds": time.process_time() - cpu,
        }
        print(json.dumps(spent | {"tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
