"""Runs in the reference environment (see run.py): tiny random OpenFlamingo models and what they say.

usage: python dump.py OUT RELEASE[,RELEASE] SIZE[,SIZE]

RELEASE v2: open-flamingo 2.0.1; v2-previous: the same with text that attends all images before it.
RELEASE v1: open-flamingo 0.0.2, whose masking is that of the Polite
Flamingo release (text attends the next image). `small` shrinks perceiver and cross-attention, so that
a dump is a test fixture; `full` leaves open-flamingo's own sizes.

Writes for every language model OUT/FAMILY-RELEASE-SIZE with lm (config and tokenizer), checkpoint.pt
(every weight by OpenFlamingo's names), facts.json (sizes) and expected.safetensors (inputs, logits,
loss, gradients, greedy tokens); what is there already is kept.
"""

from __future__ import annotations

import functools
import json
import sys
import types
from pathlib import Path

# open_flamingo.train imports it; nothing here logs.
sys.modules.setdefault("wandb", types.ModuleType("wandb"))

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
)

VOCABULARY = 93
HIDDEN, LAYERS, HEADS = 32, 4, 4
IMAGE_SIZE, PATCH, VISION = 28, 14, 24
NEW_TOKENS = 12
LAYERS_OF = {"llama": "model.layers", "neox": "gpt_neox.layers", "opt": "model.decoder.layers"}
SIZES = {
    "small": {"latents": 4, "depth": 2, "heads": 2, "dim_head": 8, "ff_mult": 2},
    "full": {"latents": 64, "depth": 6, "heads": 8, "dim_head": 64, "ff_mult": 4},
}


def language_model(family: str):
    common = {"vocab_size": VOCABULARY, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS}
    common |= {"num_attention_heads": HEADS, "max_position_embeddings": 128}
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}
    if family == "llama":
        return LlamaConfig(**common, **ids, intermediate_size=48, num_key_value_heads=2)
    if family == "neox":
        return GPTNeoXConfig(**common, **ids, intermediate_size=48, rotary_pct=0.5)
    return OPTConfig(
        **common, **(ids | {"pad_token_id": 2}), ffn_dim=48, word_embed_proj_dim=HIDDEN, dropout=0.0
    )


def tokenizer() -> PreTrainedTokenizerFast:
    words = {"<s>": 0, "</s>": 1, "<unk>": 2} | {f"w{n}": n for n in range(3, VOCABULARY)}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def shrink(release: str, size: dict[str, int]) -> None:
    """Let open-flamingo build its own blocks in another size; it has no argument for that."""
    from open_flamingo.src import flamingo, flamingo_lm, helpers

    block = {"heads": size["heads"], "dim_head": size["dim_head"], "ff_mult": size["ff_mult"]}
    flamingo.PerceiverResampler = functools.partial(
        helpers.PerceiverResampler, num_latents=size["latents"], depth=size["depth"], **block
    )
    flamingo_lm.GatedCrossAttentionBlock = functools.partial(
        helpers.GatedCrossAttentionBlock,
        **block,
        only_attend_immediate_media=release != "v2-previous",
    )


def build(out: Path, family: str, release: str, size: str):
    from open_flamingo import create_model_and_transforms

    shrink(release, SIZES[size])
    torch.manual_seed(0)
    lm = AutoModelForCausalLM.from_config(language_model(family))
    lm.save_pretrained(out / "lm")
    tokenizer().save_pretrained(out / "lm")
    clip = {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": IMAGE_SIZE,
            "layers": 2,
            "width": VISION,
            "patch_size": PATCH,
            "head_width": 12,
        },
        "text_cfg": {"context_length": 8, "vocab_size": 8, "width": 8, "heads": 1, "layers": 1},
    }
    (out / "tiny-parity.json").write_text(json.dumps(clip))
    open_clip.add_model_config(out / "tiny-parity.json")
    model, _, words = create_model_and_transforms(
        "tiny-parity",
        None,
        str(out / "lm"),
        str(out / "lm"),
        cross_attn_every_n_layers=2,
        decoder_layers_attr_name=LAYERS_OF[family],
    )
    if not hasattr(model.lang_encoder, "get_decoder"):
        # v1 asks for a decoder that GPT-NeoX does not have.
        model.lang_encoder.get_decoder = lambda: model.lang_encoder.gpt_neox
    model.requires_grad_(True)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            scale = 0.6 if name.endswith("_gate") else 0.25 if parameter.ndim > 1 else 0.1
            start = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            # Values that half precision holds: the fixture stores them so, without a loss.
            parameter.copy_((start + scale * noise).half().float())
    return model.eval(), words, clip


def inputs(release: str, image: int, endofchunk: int, pad: int) -> dict[str, torch.Tensor]:
    """Two images in the first row, one after some text in the second, which is padded right."""
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(3, VOCABULARY, (2, 18), generator=generator)
    ids[:, 0] = 0
    ids[0, 1] = ids[0, 8] = ids[1, 3] = image
    ids[0, 9] = ids[1, 4] = endofchunk
    if release == "v2-previous":
        # There the reference lets text before the first image attend all later ones alike, which
        # no Flamingo should: the rows start with their image.
        ids[0, 0] = ids[1, 0] = image
        ids[0, 1] = ids[1, 3] = 5
    ids[1, 15:] = pad
    mask = torch.ones_like(ids)
    mask[1, 15:] = 0
    pixels = torch.randn(2, 2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=generator).half().float()
    labels = ids.masked_fill((mask == 0) | (ids == image), -100)
    labels[:, 0] = -100  # no token predicts it
    return {"input_ids": ids, "attention_mask": mask, "pixels": pixels, "labels": labels}


def greedy(model, release: str, given: dict[str, torch.Tensor], barred: list[int]) -> torch.Tensor:
    """Greedy tokens [2, NEW_TOKENS] of each row's prompt, made one by one."""
    rows = []
    allowed = [token for token in range(VOCABULARY) if token not in barred]
    for row, count in enumerate((2, 1)):
        length = int(given["attention_mask"][row].sum())
        options = {
            "vision_x": given["pixels"][row : row + 1, :count, None],
            "lang_x": given["input_ids"][row : row + 1, :length],
            "attention_mask": given["attention_mask"][row : row + 1, :length],
            "max_new_tokens": NEW_TOKENS,
            "num_beams": 1,
            "prefix_allowed_tokens_fn": lambda batch, tokens: allowed,
        }
        if release != "v1":
            options |= {"do_sample": False}
        rows.append(model.generate(**options)[0, length:])
    return torch.stack(rows)


def dump(out: Path, family: str, release: str, size: str) -> None:
    """One model and what it says; facts.json is written last, so that a killed dump is made anew."""
    out.mkdir(parents=True, exist_ok=True)
    model, words, clip = build(out, family, release, size)
    image, endofchunk = model.media_token_id, model.eoc_token_id
    pad = words.convert_tokens_to_ids("<PAD>")
    given = inputs(release, image, endofchunk, pad)
    result = model(
        vision_x=given["pixels"][:, :, None],
        lang_x=given["input_ids"],
        attention_mask=given["attention_mask"],
        labels=given["labels"],
    )
    result.loss.backward()
    expected = given | {"logits": result.logits, "loss": result.loss.reshape(1)}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            expected[f"gradient.{name}"] = parameter.grad
    with torch.no_grad():
        # The end of a chunk ends their generation: it is barred, so that all tokens are compared.
        expected["greedy"] = greedy(model, release, given, [image, endofchunk, pad, 1])
    plain = {name: tensor.detach().contiguous().clone() for name, tensor in expected.items()}
    save_file(plain, out / "expected.safetensors")
    torch.save(model.state_dict(), out / "checkpoint.pt")
    facts = {"size": SIZES[size], "clip": clip, "image_size": IMAGE_SIZE, "every": 2}
    (out / "facts.json").write_text(json.dumps(facts | {"family": family, "release": release}))


def main() -> None:
    out, releases, sizes = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
    torch.set_num_threads(1)
    for size in sizes:
        for release in releases:
            for family in LAYERS_OF:
                folder = out / f"{family}-{release}-{size}"
                if not (folder / "facts.json").is_file():
                    dump(folder, family, release, size)


if __name__ == "__main__":
    main()
