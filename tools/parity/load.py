"""load.py rasa|retrieval|pretrain REPOSITORY MODEL THEIR.pth: their model takes what `laip-model convert --to` made of the checkpoint in
MODEL; how many of its keys it finds with the same bits and type.  Exit status 1 where one is missing, unexpected or other."""
import json
import os
import sys

import original

which, repository, folder, made = sys.argv[1:5]
original.use(repository)
import torch
from models.tokenization_bert import BertTokenizer

original.process_group()
with open(os.path.join(folder, "shape.json")) as file:
    shape = json.load(file)
saved = torch.load(os.path.join(folder, "checkpoint.pth"), map_location="cpu")
module, bert = original.model_module(which, shape), os.path.join(folder, "bert")
more = {"init_deit": False} if which == "pretrain" else {}
model = module.ALBEF(config=saved["config"], text_encoder=bert, tokenizer=BertTokenizer.from_pretrained(bert), **more)
said = model.load_state_dict(torch.load(made, map_location="cpu")["model"], strict=False)
have, same = model.state_dict(), 0
# What the network does not have (heads of RaSa's own, a momentum copy's cross layers) is as made; all else must be the checkpoint's.
for name, value in saved["model"].items():
    same += have[name].dtype == value.dtype and torch.equal(have[name], value)
strange = [n for n in saved["model"] if not torch.equal(have[n], saved["model"][n]) and n not in said.missing_keys]
print(f"{same} of {len(saved['model'])} keys with the same bits; missing {len(said.missing_keys)} {list(said.missing_keys)[:3]}, "
      f"unexpected {len(said.unexpected_keys)} {list(said.unexpected_keys)[:3]}, other {len(strange)} {strange[:3]}")
sys.exit(bool(said.missing_keys or said.unexpected_keys or strange))
