"""Runs in the reference environment: load a checkpoint that we exported, compare with the dump.

usage: python load_export.py DUMP EXPORTED.pt     (prints one line of JSON)
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import dump
import torch
from safetensors.torch import load_file


def main() -> None:
    """Fresh random model of the dump's geometry, our weights into it, its logits."""
    folder, exported = Path(sys.argv[1]), Path(sys.argv[2])
    facts = json.loads((folder / "facts.json").read_text())
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        model, _, _ = dump.build(Path(work), facts["family"], facts["release"], "full")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    weights = torch.load(exported, map_location="cpu", weights_only=True)
    result = model.load_state_dict(weights, strict=False)
    expected = load_file(folder / "expected.safetensors")
    with torch.no_grad():
        logits = model(
            vision_x=expected["pixels"][:, :, None],
            lang_x=expected["input_ids"],
            attention_mask=expected["attention_mask"],
        ).logits
    mask = expected["attention_mask"].bool()
    # Their state dict names shared blocks twice; one of the names fills both.
    copies = ("lang_encoder.old_decoder_blocks.", "lang_encoder.gated_cross_attn_layers.")
    missing = [name for name in result.missing_keys if not name.startswith(copies)]
    untied = [name for name in missing if name != "lang_encoder.lm_head.weight"]
    row = {
        "family": facts["family"],
        "weights": len(weights),
        "unexpected": result.unexpected_keys,
        "missing": [name for name in untied if "rotary" not in name],
        "logits": float((logits - expected["logits"])[mask].abs().max()),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
