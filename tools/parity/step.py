"""step.py rasa|retrieval|pretrain REPOSITORY MODEL DATA OUT.safetensors: a training step of their code, without dropout, as a fixture
for build/tests/conformance: what goes in, the losses, every gradient, the weights after their optimiser's step, momentum and queues."""
import argparse
import importlib
import json
import os
import re

import original

a = argparse.ArgumentParser()
a.add_argument("which", choices=list(original.MODULES))
for name in ("repository", "model", "data", "out"):
    a.add_argument(name)
a.add_argument("--alpha", type=float, default=0.0, help="share of the momentum model's targets; soft labels of MLM are not compared")
a = a.parse_args()
rasa, bare = a.which == "rasa", a.which == "retrieval"
original.use(a.repository)
import torch
import torch.nn.functional as F
import utils
from models.tokenization_bert import BertTokenizer
from optim import create_optimizer
from PIL import Image
from safetensors.torch import save_file
from torchvision import transforms

original.process_group()
with open(os.path.join(a.model, "shape.json")) as file:
    shape = json.load(file)
saved = torch.load(os.path.join(a.model, "checkpoint.pth"), map_location="cpu")
config = saved["config"]
module = original.model_module(a.which, shape)
tokenizer = BertTokenizer.from_pretrained(os.path.join(a.model, "bert"))
model = module.ALBEF(config=config, text_encoder=os.path.join(a.model, "bert"), tokenizer=tokenizer,
                     **({"init_deit": False} if a.which == "pretrain" else {}))
model.load_state_dict(saved["model"], strict=True)
model.eval()  # no dropout; the rest is the forward of training

# Six pictures, two of one person where the loss knows persons, through their preparation.
with open(os.path.join(a.data, "processed_data/train.json")) as file:
    entries = json.load(file)
first = {}
for i, e in enumerate(entries):
    first.setdefault(e["id"], []).append(i)
groups = sorted(first.values())
pick = [g[0] for g in groups[:6]] if a.which == "pretrain" else [groups[0][0], groups[1][0], groups[0][1]] + [g[0] for g in groups[2:5]]
B, side = len(pick), shape["resolution"]
prepare = transforms.Compose([
    transforms.Resize((side, side), interpolation=transforms.InterpolationMode.BICUBIC), transforms.ToTensor(),
    transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))])
image = torch.stack([prepare(Image.open(os.path.join(a.data, "imgs", entries[i]["file_path"])).convert("RGB")) for i in pick])
image2 = image.flip(3) if rasa else image
if rasa:
    from dataset.utils import pre_caption
else:  # the module asks for more than this function needs
    with open(os.path.join(a.repository, "dataset/utils.py")) as file:
        text = file.read()
    scope = {"re": re}
    exec(text[text.index("def pre_caption"):text.index("\ndef ", text.index("def pre_caption") + 1)].split("\nfrom ")[0], scope)
    pre_caption = scope["pre_caption"]
text = tokenizer([pre_caption(entries[i]["captions"][0], 50) for i in pick], padding="longest", truncation=True, max_length=50,
                 return_tensors="pt")
ids = [entries[i]["id"] for i in pick]
person = torch.arange(B) if a.which == "pretrain" else torch.tensor([sorted(set(ids)).index(x) for x in ids])
before = {k: v.clone() for k, v in model.state_dict().items()}

# What passes by is written down: draws, logits, features, which words are masked.
draws, matching, seen, masked = [], [], {}, {}
real_multinomial = torch.multinomial


def multinomial(*given, **named):
    draws.append(real_multinomial(*given, **named).flatten())
    return draws[-1].view(-1, 1)


def keep(name):
    return lambda m, given, out: seen.setdefault(name, []).append(getattr(out, "last_hidden_state", out))


torch.multinomial = multinomial
bert = model.text_encoder if bare else model.text_encoder.bert
hooks = [model.itm_head.register_forward_hook(lambda m, given, out: matching.append(out))]
hooks += [m.register_forward_hook(keep(n)) for n, m in (("image", model.visual_encoder), ("text", bert), ("vision", model.vision_proj),
          ("language", model.text_proj), ("vision_m", model.vision_proj_m), ("language_m", model.text_proj_m))]
if not bare:
    real_mask = model.mask

    def mask(*given, **named):
        result = real_mask(*given, **named)
        if "targets" in named:
            masked["ids"], masked["labels"] = result[0].clone(), result[1].clone()
        return result

    model.mask = mask
torch.manual_seed(5)
optimiser = create_optimizer(utils.AttrDict(dict(config["optimizer"], lr=1e-3)), model)
if bare:
    itc, itm = model(image, text, a.alpha, person)
    losses = {"loss_itc": itc, "loss_itm": itm}
elif a.which == "pretrain":
    mlm, itc, itm = model(image, text, a.alpha)
    losses = {"loss_itc": itc, "loss_itm": itm, "loss_mlm": mlm}
else:
    contrast, itm, mlm, _, _ = model(image, image2, text, text, a.alpha, person, torch.zeros(B, dtype=torch.long))
    losses = {"loss_itm": itm, "loss_mlm": mlm}
for hook in hooks:
    hook.remove()
torch.multinomial = real_multinomial
if a.alpha:
    losses.pop("loss_mlm", None)
image_negative, text_negative = (draws[0], draws[1]) if rasa else (torch.cat(draws[:B]), torch.cat(draws[B:2 * B]))
f = {k: F.normalize(seen[k][0], dim=-1) for k in ("vision", "language", "vision_m", "language_m")}
if rasa:  # of its four contrasts the two between pictures and texts, from its own features, queues and targets
    everyone = torch.cat([person.view(1, -1), before["idx_queue"]], 1)
    right = torch.eq(person.view(-1, 1), everyone).float()
    right = right / right.sum(1, keepdim=True)
    images, texts = (torch.cat([f[k].t(), before[q]], 1) for k, q in (("vision_m", "image_queue"), ("language_m", "text_queue")))

    def contrast_of(x, x_m, keys):
        target = a.alpha * F.softmax(x_m @ keys / model.temp, 1) + (1 - a.alpha) * right
        return -(F.log_softmax(x @ keys / model.temp, 1) * target.detach()).sum(1).mean()

    parts = [contrast_of(f["vision"], f["vision_m"], texts), contrast_of(f["language"], f["language_m"], images),
             contrast_of(f["vision"], f["vision_m"], images), contrast_of(f["language"], f["language_m"], texts)]
    assert abs(float(sum(parts) / 4) - float(contrast)) < 1e-5
    losses["loss_itc"] = (parts[0] + parts[1]) / 2
total = sum(losses.values())

# Phrases with hard labels through their head for masked words, and their attention maps (ALBEF's visualisation).
PHRASES = ["black leather jacket", "white handbag", "a blue dress", "khaki pants", "long dark hair", "red shoes"]
LENGTH = 8
phrase_ids, phrase_mask = torch.zeros(B, LENGTH, dtype=torch.long), torch.zeros(B, LENGTH, dtype=torch.long)
target = torch.full((B, LENGTH), -1)
for i, phrase in enumerate(PHRASES):
    found = tokenizer(phrase).input_ids[:LENGTH]
    phrase_ids[i, :len(found)], phrase_mask[i, :len(found)] = torch.tensor(found), 1
phrase_masked = phrase_ids.clone()
for i in range(B):
    at = 1 + i % max(int(phrase_mask[i].sum()) - 1, 1)
    target[i, at], phrase_masked[i, at] = phrase_ids[i, at], tokenizer.mask_token_id
extra, weights = {}, dict(mpm_weight=0.0, bidiratt_weight=0.0)
if not bare:
    tokens = seen["image"][0]
    everywhere = torch.ones(tokens.shape[:-1], dtype=torch.long)
    cross = bert.encoder.layer[shape["fusion"]].crossattention.self  # the first cross layer

    def forward(rows=slice(None), **more):
        return model.text_encoder(phrase_masked[rows], attention_mask=phrase_mask[rows], encoder_hidden_states=tokens[rows],
                                  encoder_attention_mask=everywhere[rows], return_dict=True, **more)

    labels = target.masked_fill(target < 0, -100)
    mpm = torch.stack([forward(slice(i, i + 1), labels=labels[i:i + 1]).loss for i in range(B)]).sum() / B
    cross.save_attention = True
    logits = forward().logits
    model.zero_grad()
    sum(logits[i, j, target[i, j]] for i in range(B) for j in range(LENGTH) if target[i, j] >= 0).backward(retain_graph=True)
    ahead = cross.get_attention_map()[:, :, 0, 1:].mean(1)
    back = cross.get_attn_gradients()[:, :, 0, 1:].mean(1).detach()
    cross.save_attention = False
    w = ahead * back.clamp_min(0)
    sums = w.sum(1, keepdim=True)
    w = torch.where(sums > 0, w / sums.clamp_min(1e-12), ahead / ahead.sum(1, keepdim=True))
    plain = bert(phrase_ids, attention_mask=phrase_mask, return_dict=True, mode="text").last_hidden_state[:, 0]
    region = F.normalize(model.vision_proj((w[:, :, None] * tokens[:, 1:]).sum(1)), dim=-1)
    similarity = (region * F.normalize(model.text_proj(plain), dim=-1)).sum(1)
    bidiratt = (1 - similarity).sum() / B  # the loss itself is in no public code: ours, on their modules
    extra = dict(attention_forward=ahead, attention_backward=back, attention_weight=w, phrase_similarity=similarity,
                 loss_bidiratt=bidiratt, loss_mpm=mpm)
    weights = dict(mpm_weight=1.0, bidiratt_weight=1.0)
    total = total + mpm + bidiratt
    model.zero_grad()
optimiser.zero_grad()
total.backward()
gradients = {n: None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}
optimiser.step()
after, buffers = {n: p.detach() for n, p in model.named_parameters()}, dict(model.named_buffers())


def ours(name):
    for encoder in ("text_encoder.", "text_encoder_m."):
        if name.startswith(encoder) and name[len(encoder):].startswith(("embeddings.", "encoder.")):
            return encoder + "bert." + name[len(encoder):]
    return name


def not_ours(name):
    copies = any(f"text_encoder_m.bert.encoder.layer.{i}." in name for i in range(shape["fusion"], shape["layers"]))
    return copies or "position_ids" in name or "predictions.decoder" in name or "pooler" in name or \
        name.startswith(("prd_head", "mrtd_head", "text_encoder_m.cls"))


t = {}
for name, value in before.items():
    name = ours(name)
    if not not_ours(name) and "queue" not in name:
        t[("momentum." if "_m." in name else "param.") + name] = value
if bare:  # it has no head for masked words, which no loss here uses
    D, V = shape["width"], shape["vocab"]
    for name, size in (("transform.dense.weight", (D, D)), ("transform.dense.bias", (D,)), ("transform.LayerNorm.weight", (D,)),
                       ("transform.LayerNorm.bias", (D,)), ("bias", (V,))):
        t["param.text_encoder.cls.predictions." + name] = torch.randn(size, generator=torch.Generator().manual_seed(9)) * 0.1
slots = shape["queue"]
nobody = torch.full((slots,), -100)
t["buffer.image_queue"], t["buffer.text_queue"], t["buffer.queue_ptr"] = before["image_queue"], before["text_queue"], before["queue_ptr"]
t["buffer.idx_queue"] = before["idx_queue"].flatten() if "idx_queue" in before else nobody
t["after_buffer.idx_queue"] = buffers["idx_queue"].flatten() if "idx_queue" in buffers else torch.cat([torch.arange(B), nobody[B:]])
for name in ("image_queue", "text_queue", "queue_ptr"):
    t["after_buffer." + name] = buffers[name]
t.update({"input.image": image, "input.image_m": image2, "input.text_ids": text.input_ids, "input.text_mask": text.attention_mask,
          "input.person": person, "input.text_negative": text_negative, "input.image_negative": image_negative,
          "input.phrase_owner": torch.arange(B), "input.phrase_ids": phrase_ids, "input.phrase_masked_ids": phrase_masked,
          "input.phrase_mask": phrase_mask, "input.phrase_target": target})
words = masked.get("labels", torch.full_like(text.input_ids, -100))
t["input.caption_masked_ids"], t["input.caption_target"] = masked.get("ids", text.input_ids), words.masked_fill(words < 0, -1)
t.update({"expect." + k: v for k, v in {
    "image": seen["image"][0], "text": seen["text"][0], "image_feature": f["vision"], "text_feature": f["language"],
    "image_feature_m": f["vision_m"], "text_feature_m": f["language_m"], "itm_logits": matching[0], "loss": total, **losses,
    **extra}.items()})
for name, gradient in gradients.items():
    if "_m." not in name and not not_ours(ours(name)):
        t["grad." + ours(name)] = torch.zeros_like(after[name]) if gradient is None else gradient
        t["after." + ours(name)] = after[name]
for name, value in model.state_dict().items():
    if "_m." in name and not not_ours(ours(name)):
        t["after_momentum." + ours(name)] = value
t = {k: (v.detach().float() if v.is_floating_point() else v.int()).contiguous().clone() for k, v in t.items()}
sizes = dict(image=[side, side], patch=16, width=shape["width"], heads=shape["heads"], mlp=4, vit_layers=shape["depth"],
             text_layers=shape["fusion"], cross_layers=shape["layers"] - shape["fusion"], vocab=shape["vocab"], positions=512,
             embed=shape["embed"], queue=slots, batch=B, text_len=text.input_ids.shape[1], phrase_len=LENGTH, bidiratt_layer=1)
loss = dict(temperature=0.07, distill_alpha=a.alpha, itc_weight=1.0, itm_weight=1.0, triplet_weight=0.0, triplet_margin=0.6,
            mlm_weight=float("loss_mlm" in losses), bidiratt_attention="both", bidiratt_loss="cosine", phrase_reduction="sum",
            momentum=config["momentum"], **weights)
adamw = dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=config["optimizer"]["weight_decay"], step=1)
save_file(t, a.out, metadata={"laip": json.dumps(dict(model=sizes, losses=loss, optimiser=adamw, seed=0, rerank=3))})
