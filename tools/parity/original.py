"""What the original code needs to run here: old names of packages, a process group of one, other sizes than those written into it."""
import importlib
import json
import os
import shutil
import sys
import tempfile
import types

MODULES = {"rasa": "model_person_search", "retrieval": "model_retrieval", "pretrain": "model_pretrain"}


def use(repository):
    """Puts a repository first on the path of modules."""
    import ruamel.yaml

    old = types.ModuleType("ruamel_yaml")
    old.Loader = None
    old.load = lambda text, Loader=None: ruamel.yaml.YAML(typ="safe").load(text)
    old.dump = lambda value, file: ruamel.yaml.YAML(typ="safe").dump(value, file)
    sys.modules["ruamel_yaml"] = old
    sys.path.insert(0, repository)


def model_module(which, shape):
    """The module with their model; a small shape replaces the sizes of its image encoder."""
    module = importlib.import_module("models." + MODULES[which])
    if not shape["full"]:
        real = module.VisionTransformer

        def smaller(**given):
            return real(**{**given, "embed_dim": shape["width"], "depth": shape["depth"], "num_heads": shape["heads"]})

        module.VisionTransformer = smaller
    return module


def process_group():
    import torch

    place = tempfile.mktemp(prefix="parity-group-")
    torch.distributed.init_process_group("gloo", init_method="file://" + place, rank=0, world_size=1)


def bert_folder(folder, config, vocab):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    shutil.copyfile(vocab, os.path.join(folder, "vocab.txt"))


def randomise(model, generator):
    """Weights by which pictures and texts differ: with a deviation of 0.02 all look alike."""
    import torch

    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=generator)
            low = name.lower()
            if name == "temp":
                continue
            if "norm" in low:
                p.copy_(1 + 0.1 * x if name.endswith("weight") else 0.1 * x)
            elif p.dim() == 1:
                p.copy_(0.1 * x)
            elif ("embed" in low and "patch" not in low) or "cls_token" in low:
                p.copy_(0.3 * x)
            else:
                p.copy_(x / p[0].numel() ** 0.5)
