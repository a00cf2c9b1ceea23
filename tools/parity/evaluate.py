"""evaluate.py REPOSITORY MODEL OUT.npz: RaSa's Retrieval.py --evaluate, with what passes through its heads written down."""
import argparse
import json
import os
import sys

import original

repository, folder, out = sys.argv[1:4]
original.use(repository)
import numpy
import torch

with open(os.path.join(folder, "shape.json")) as file:
    shape = json.load(file)
with open(os.path.join(folder, "config.json")) as file:
    config = json.load(file)
original.model_module("rasa", shape)
import Retrieval

work = os.path.dirname(out)
Retrieval.args = argparse.Namespace(config="", output_dir=work, checkpoint=os.path.join(folder, "checkpoint.pth"), resume=False,
                                    eval_mAP=True, text_encoder=os.path.join(folder, "bert"), evaluate=True, device="cpu",
                                    seed=42, world_size=1, dist_url="env://", distributed=True)
kept = {name: [] for name in ("image", "text", "matching", "ids", "mask", "pixels")}
answers = {}
real_evaluation, real_metrics = Retrieval.evaluation, Retrieval.itm_eval


def evaluation(model, loader, tokenizer, device, config):
    keep = lambda name: lambda module, given, result: kept[name].append(result.clone())
    model.vision_proj.register_forward_hook(keep("image"))
    model.text_proj.register_forward_hook(keep("text"))
    model.itm_head.register_forward_hook(keep("matching"))
    model.visual_encoder.register_forward_pre_hook(lambda module, given: kept["pixels"].append(given[0].clone()))

    def tokenize(*given, **named):
        result = tokenizer(*given, **named)
        kept["ids"].append(result.input_ids.clone())
        kept["mask"].append(result.attention_mask.clone())
        return result

    answers["score"] = real_evaluation(model, loader, tokenize, device, config)
    return answers["score"]


def metrics(*given):
    answers["result"] = real_metrics(*given)
    return answers["result"]


Retrieval.evaluation, Retrieval.itm_eval = evaluation, metrics
Retrieval.main(Retrieval.args, config)
normal = torch.nn.functional.normalize
image, text = normal(torch.cat(kept["image"]), dim=-1), normal(torch.cat(kept["text"]))
numpy.savez(out, image=image.numpy(), text=text.numpy(), similarities=(text @ image.t()).numpy(), score=answers["score"].numpy(),
            matching=torch.cat(kept["matching"]).numpy(), ids=torch.cat(kept["ids"]).numpy(), mask=torch.cat(kept["mask"]).numpy(),
            pixels=torch.cat(kept["pixels"]).numpy(), k=config["k_test"],
            metrics=[answers["result"][name] for name in ("r1", "r5", "r10", "mAP")])
