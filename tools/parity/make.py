"""make.py rasa|retrieval|pretrain REPOSITORY DATA VOCAB OUT [--full]: a model of random weights, saved as their script saves it."""
import argparse
import json
import os

import original

a = argparse.ArgumentParser()
a.add_argument("which", choices=list(original.MODULES))
for name in ("repository", "data", "vocab", "out"):
    a.add_argument(name)
a.add_argument("--full", action="store_true")
a.add_argument("--k", type=int, default=8)
a = a.parse_args()
shape = dict(width=768 if a.full else 64, depth=12 if a.full else 3, heads=12 if a.full else 4, full=a.full,
             layers=12 if a.full else 4, fusion=6 if a.full else 2, resolution=384 if a.full else 64,
             embed=256 if a.full else 32, queue=65536 if a.full else 48)
original.use(a.repository)
import torch
import utils
import ruamel_yaml as yaml
from models.tokenization_bert import BertTokenizer
from models.xbert import BertConfig, BertForMaskedLM
from optim import create_optimizer

os.makedirs(a.out, exist_ok=True)
here = lambda name: os.path.join(a.out, name)
their = lambda name: os.path.join(a.repository, "configs", name)
with open(a.vocab, encoding="utf-8") as file:
    words = sum(1 for _ in file)
with open(their("config_bert.json")) as file:
    bert = json.load(file)
if not a.full:
    bert.update(hidden_size=shape["width"], intermediate_size=4 * shape["width"], num_attention_heads=shape["heads"],
                num_hidden_layers=shape["layers"], fusion_layer=shape["fusion"], encoder_width=shape["width"])
bert["vocab_size"] = shape["vocab"] = words
with open(here("config_bert.json"), "w") as file:
    json.dump(bert, file)
with open(here("shape.json"), "w") as file:
    json.dump(shape, file)
original.bert_folder(here("bert"), bert, a.vocab)
torch.manual_seed(1)
torch.save(BertForMaskedLM(BertConfig.from_json_file(here("config_bert.json"))).state_dict(), here("bert/pytorch_model.bin"))

config = yaml.load(open(their({"rasa": "PS_cuhk_pedes.yaml", "retrieval": "Retrieval_flickr.yaml", "pretrain": "Pretrain.yaml"}[a.which])))
config.update(bert_config=here("config_bert.json"), image_res=shape["resolution"], vision_width=shape["width"],
              embed_dim=shape["embed"], queue_size=shape["queue"])
lists = lambda split: os.path.join(a.data, "processed_data", split + ".json")
if a.which == "rasa":
    images = os.path.join(a.data, "imgs")
    config.update(train_file=[lists("train")], val_file=lists("val"), test_file=lists("test"), train_image_root=images,
                  val_image_root=images, test_image_root=images, k_test=a.k, batch_size_test=8)
with open(here("config.json"), "w") as file:
    json.dump(config, file)
module = original.model_module(a.which, shape)
tokenizer = BertTokenizer.from_pretrained(here("bert"))
more = {"init_deit": False} if a.which == "pretrain" else {}
model = module.ALBEF(config=config, text_encoder=here("bert"), tokenizer=tokenizer, **more)
generator = torch.Generator().manual_seed(2)
original.randomise(model, generator)
with torch.no_grad():  # momentum copies a little behind, a queue half full, as after training
    for online, copy in model.model_pairs:
        for p, m in zip(online.parameters(), copy.parameters()):
            m.copy_(p + 0.02 * torch.randn(p.shape, generator=generator))
    if hasattr(model, "idx_queue"):
        persons = torch.randint(0, 9, model.idx_queue.shape, generator=generator)
        persons[:, shape["queue"] // 2:] = -100
        model.idx_queue.copy_(persons)
        model.queue_ptr[0] = shape["queue"] // 2
saved = {"model": model.state_dict(), "optimizer": create_optimizer(utils.AttrDict(config["optimizer"]), model).state_dict(),
         "config": config, "epoch": 29, "best": 76.5, "best_epoch": 29}
torch.save(saved, here("checkpoint.pth"))
print(f"{a.which}: {len(saved['model'])} tensors, {sum(v.numel() for v in saved['model'].values())} numbers")
