"""compare.py THEIRS.npz OURS.safetensors OURS.json: how far every number of RaSa's evaluation is from laip-eval's; rows of a table."""
import json
import sys

import numpy
from safetensors.numpy import load_file

theirs, ours = numpy.load(sys.argv[1]), load_file(sys.argv[2])
with open(sys.argv[3]) as file:
    metrics = json.load(file)
queries, gallery = ours["similarities"].shape
begin, k = ours["token_begin"], int(theirs["k"])
tokens = [ours["tokens"][begin[q]:begin[q + 1]] for q in range(queries)]
alike = numpy.array([numpy.array_equal(tokens[q], theirs["ids"][q][theirs["mask"][q] == 1]) for q in range(queries)])
far = lambda a, b: float(numpy.abs(a - b).max()) if a.size else float("nan")
rows = [("captions with the same tokens", f"{alike.sum()} of {queries}"),
        ("image features", f"{far(ours['image_features'], theirs['image']):.2g}"),
        ("text features, of those", f"{far(ours['text_features'][alike], theirs['text'][alike]):.2g}"),
        ("similarities", f"{far(ours['similarities'][alike], theirs['similarities'][alike]):.2g} "
                         f"(their deviation {theirs['similarities'].std():.2g})")]
best = numpy.argsort(-theirs["similarities"], 1, kind="stable")[:, :k]
same_best = numpy.array([set(best[q]) == set(ours["candidates"][q]) for q in range(queries)]) & alike
logit, order, spread = 0.0, 0, theirs["matching"][:, 1].std()
for q in numpy.flatnonzero(same_best):
    mine = dict(zip(ours["candidates"][q], ours["matching_logits"][q, :, 1]))
    logit = max(logit, max(abs(mine[i] - theirs["score"][q, i]) for i in best[q]))
    ranked = sorted(mine, key=lambda i: -mine[i])
    order += ranked == sorted(best[q], key=lambda i: -theirs["score"][q, i])
rows += [(f"the same {k} candidates", f"{same_best.sum()} of {queries}"),
         ("matching logits, of those", f"{logit:.2g} (their deviation {spread:.2g})"),
         ("the same order, of those", f"{order} of {same_best.sum()}"),
         ("R@1, R@5, R@10, mAP, theirs", " / ".join(f"{x:.4f}" for x in theirs["metrics"])),
         ("R@1, R@5, R@10, mAP, ours", " / ".join(f"{metrics['rerank'][x]:.4f}" for x in ("R@1", "R@5", "R@10", "mAP")))]
for name, value in rows:
    print(f"| {name} | {value} |")
