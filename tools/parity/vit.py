"""vit.py make|compare FOLDER [--full]: timm's own ViT with random weights, for init.vit.  make: vit.pth as timm's and DeiT's files are,
pictures of the network's size, so that nothing is resized, and their list.  compare: features of the run's checkpoint on these pictures
(scores.safetensors, of laip-eval) beside timm's, through the checkpoint's projection."""
import json
import os
import sys

import numpy
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

import original

action, folder, full = sys.argv[1], sys.argv[2], "--full" in sys.argv
here = lambda name: os.path.join(folder, name)
side, COUNT = 384 if full else 64, 12
sizes = dict(embed_dim=768, depth=12, num_heads=12) if full else dict(embed_dim=64, depth=3, num_heads=4)
model = timm.models.vision_transformer.VisionTransformer(img_size=side, patch_size=16, num_classes=10, **sizes).eval()

if action == "make":
    original.randomise(model, torch.Generator().manual_seed(4))
    os.makedirs(here("imgs"), exist_ok=True)
    torch.save({"model": model.state_dict()}, here("vit.pth"))
    shades, entries = numpy.random.default_rng(5), []
    for i in range(COUNT):
        small = shades.integers(0, 256, (6, 6, 3), dtype=numpy.uint8)
        Image.fromarray(small).resize((side, side), Image.BICUBIC).save(here(f"imgs/{i}.png"))
        entries.append({"split": "test" if i >= 4 else "train", "captions": ["a person in a coat"], "file_path": f"{i}.png", "id": i})
    with open(here("reid_raw.json"), "w") as file:
        json.dump(entries, file)
    sys.exit()
model.load_state_dict(torch.load(here("vit.pth"))["model"])
run, scores = load_file(here("run/best.safetensors")), load_file(here("scores.safetensors"))
mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)))
with open(here("reid_raw.json")) as file:
    names = [e["file_path"] for e in json.load(file) if e["split"] == "test"]
pictures = torch.stack([(torch.from_numpy(numpy.array(Image.open(here("imgs/" + n)))).permute(2, 0, 1) / 255 - mean) / deviation
                        for n in names])
with torch.no_grad():
    states = model.forward_features(pictures)
    states = states[:, 0] if states.dim() == 3 else states  # older ones give the class token alone
    theirs = torch.nn.functional.normalize(torch.nn.functional.linear(states, run["vision_proj.weight"], run["vision_proj.bias"]), dim=-1)
same = sum(torch.equal(run["visual_encoder." + n], v) for n, v in model.state_dict().items() if not n.startswith("head."))
print(f"{same} of {len(model.state_dict()) - 2} tensors with the same bits; features of {len(names)} pictures: largest difference "
      f"{(theirs - scores['image_features']).abs().max():.2g} (their deviation {theirs.std():.2g})")
