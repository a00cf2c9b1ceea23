/* The page of `laip-search serve`.  Its state is the address: q=SENTENCE, and like=ID or drop=N, a picture that is searched
 * with, alone or beside the sentence; show=ID is the picture that is open.  Whatever comes from the index or the sentence is put in as text. */
"use strict";

const $ = (id) => document.getElementById(id);
const drops = [];    /* pictures that were dropped since the page was loaded, by the N of ?drop */
let results = [];    /* of the search that is shown */
let shown = null;    /* what was searched for: one of q, like, drop; and top */
let running = null;  /* the search that is under way, to be aborted by the next */
let rerank = 32, pictures = 0;
const PAGE = 24, HINT = $("hint").textContent, EXAMPLE = $("sentence").placeholder;

function element(name, properties, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

function say(text, bad) {
  $("status").textContent = text;
  $("status").className = bad ? "bad" : "";
}

async function ask(address, options) {
  const answer = await fetch(address, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

function state() {
  const p = new URLSearchParams(location.search);
  return { q: p.get("q"), like: p.get("like"), drop: p.get("drop"), show: p.get("show") };
}

function go(to, replace) {
  const p = new URLSearchParams();
  for (const key of ["q", "like", "drop", "show"]) if (to[key] !== null && to[key] !== undefined) p.set(key, to[key]);
  const address = p.size ? "/?" + p : "/";
  history[replace ? "replaceState" : "pushState"](null, "", address);
  render();
}

const same = (a, b) => a && b && a.q === b.q && a.like === b.like && a.drop === b.drop;

/* The search of the address, and the picture that it shows. */
function render() {
  const s = state();
  if (!same(s, shown)) search(s, PAGE);
  else if (results.length) detail(s.show);
}

function card(r) {
  const name = element("span", { title: r.name }, element("bdi", { textContent: r.name }));
  const button = element("button", { type: "button" },
    element("img", { src: "/thumbnail/" + r.id, alt: "Result " + r.rank, loading: "lazy", width: r.width, height: r.height }),
    element("div", { className: "name" }, element("b", { textContent: r.rank }), name));
  button.addEventListener("click", () => go({ ...state(), show: r.id }));
  const item = element("li", {}, button);
  item.dataset.id = r.id;
  return item;
}

/* Cards that are there already stay what they are: only their order and rank change. */
function list(found) {
  const old = new Map([...$("results").children].map((c) => [c.dataset.id, c]));
  results = found;
  $("results").replaceChildren(...found.map((r) => {
    const known = old.get(r.id);
    if (!known) return card(r);
    known.querySelector("b").textContent = r.rank;
    known.querySelector("img").alt = "Result " + r.rank;
    return known;
  }));
  $("results").classList.remove("stale");
  $("hint").hidden = true;
}

function given(s) {
  const by = s.like ? "/thumbnail/" + encodeURIComponent(s.like) : s.drop !== null ? drops[s.drop]?.address : null;
  $("given").hidden = !by;
  $("rerank").disabled = !!by; /* matching is of a sentence alone */
  $("sentence").placeholder = by ? "words to add, as in: with a white bag" : EXAMPLE;
  if (!by) return;
  $("given-picture").src = by;
  $("given-text").textContent = (s.like ? "Pictures like this one" : "Pictures like " + drops[s.drop].name)
    + (s.q === null ? "" : ", and like the sentence");
}

async function search(s, top) {
  running?.abort();
  running = new AbortController();
  const signal = running.signal;
  shown = { ...s, top };
  $("more").hidden = true;
  $("sentence").value = s.q ?? "";
  document.title = s.q ? s.q + " - laip-search" : "laip-search";
  given(s);
  if (s.q === null && s.like === null && s.drop === null) {
    results = [];
    $("results").replaceChildren();
    $("hint").textContent = HINT;
    $("hint").hidden = false;
    detail(null);
    say(pictures ? pictures.toLocaleString() + " pictures" : "");
    return;
  }
  $("results").classList.add("stale");
  say("Searching\u2026");
  try {
    const p = new URLSearchParams({ top });
    if (s.drop !== null && !drops[s.drop]) throw new Error("drop the picture again: a reload forgets it");
    if (s.q !== null) p.set("q", s.q);
    if (s.like !== null) p.set("like", s.like);
    const first = await ask("/api/search?" + p, s.drop === null ? { signal }
      : { signal, method: "POST", body: drops[s.drop].file });
    list(first.results);
    const again = s.q !== null && s.like === null && s.drop === null && rerank > 0 && $("rerank").checked;
    const done = () => say(`${first.pictures.toLocaleString()} pictures, ${Math.max(1, first.seconds * 1000).toFixed(0)} ms`);
    again ? say("Ranking the best again\u2026") : done();
    $("more").hidden = first.results.length < top || top >= 480;
    detail(state().show);
    if (!again) return;
    p.set("rerank", Math.max(rerank, top));
    const second = await ask("/api/search?" + p, { signal });
    list(second.results);
    done();
    if (state().show) step(0);
  } catch (e) {
    if (e.name === "AbortError") return;
    list([]);
    $("hint").textContent = e.message;
    $("hint").hidden = false;
    say("Nothing was searched for", true);
  }
}

/* Heat: from nothing over red to yellow; a map's largest value is the hottest. */
function draw(canvas, values, rows, cols) {
  const most = Math.max(...values, 1e-12), context = canvas.getContext("2d");
  canvas.width = cols;
  canvas.height = rows;
  const image = context.createImageData(cols, rows);
  values.forEach((v, i) => {
    const x = Math.max(v, 0) / most;
    image.data.set([Math.min(255, 120 + 200 * x), Math.max(0, 300 * x - 70), Math.max(0, 60 - 90 * x), 205 * x], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

function figure(r, caption, canvas) {
  const height = Math.max(180, Math.min(innerHeight * 0.5, 520));
  const scale = Math.min(3.5, height / r.height, (innerWidth * (canvas ? 0.3 : 0.85)) / r.width);
  const picture = element("img", { src: "/picture/" + r.id, alt: caption || r.name,
    width: Math.max(1, Math.round(r.width * scale)), height: Math.max(1, Math.round(r.height * scale)) });
  const box = element("div", { className: "picture" }, picture);
  if (canvas) box.append(canvas);
  return caption ? element("figure", {}, box, element("figcaption", { textContent: caption })) : element("figure", {}, box);
}

const MAPS = [["forward", "Forward"], ["backward", "Backward"], ["both", "Both"]];

function choose(r, phrases, which) {
  [...$("phrases").children].forEach((b, i) => {
    b.setAttribute("aria-checked", String(i === which));
    b.tabIndex = i === which ? 0 : -1;
  });
  $("maps").className = "";
  $("maps").replaceChildren(...MAPS.map(([key, caption]) => {
    const canvas = element("canvas", { className: key });
    draw(canvas, phrases[which][key], phrases[which].rows, phrases[which].cols);
    return figure(r, caption, canvas);
  }));
}

let explained = null; /* what the dialog shows: id and sentence */

async function explain(r, sentence) {
  const me = explained = { id: r.id, sentence };
  $("meaning").textContent = "Looking\u2026";
  try {
    const { phrases } = await ask("/api/explain?" + new URLSearchParams({ q: sentence, id: r.id }));
    if (explained !== me) return;
    $("phrases").replaceChildren(...phrases.map((p, i) => {
      const b = element("button", { type: "button", textContent: p.text });
      b.setAttribute("role", "radio");
      b.addEventListener("click", () => choose(r, phrases, i));
      b.addEventListener("keydown", (e) => {
        const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
        if (!move) return;
        e.preventDefault();
        e.stopPropagation();
        const next = (i + move + phrases.length) % phrases.length;
        choose(r, phrases, next);
        $("phrases").children[next].focus();
      });
      return b;
    }));
    choose(r, phrases, 0);
    $("meaning").textContent = "Forward: where the phrase looks. Backward: what helps to tell its words when they are hidden. "
      + "Both: where the two agree.";
  } catch (e) {
    if (explained === me) $("meaning").textContent = e.message;
  }
}

function detail(id) {
  const dialog = $("detail"), r = results.find((x) => x.id === id);
  if (!r) {
    explained = null;
    if (dialog.open) dialog.close();
    return;
  }
  const s = state(), at = results.indexOf(r);
  $("previous").disabled = at === 0;
  $("next").disabled = at + 1 === results.length;
  if (dialog.open && explained?.id === r.id && explained.sentence === s.q) return;
  $("detail-name").textContent = r.name;
  $("facts").textContent = [`number ${r.rank}`, `${r.width} \u00d7 ${r.height}`, `cosine ${r.cosine.toFixed(3)}`,
    ...(r.log_odds === undefined ? [] : [`matching ${r.log_odds.toFixed(2)}`]),
    ...(r.names.length > 1 ? ["also " + r.names.slice(1).join(", ")] : [])].join(" \u00b7 ");
  $("phrases").replaceChildren();
  $("maps").className = "one";
  $("maps").replaceChildren(figure(r, "", null));
  $("meaning").textContent = "";
  $("whole").href = "/picture/" + r.id;
  if (!dialog.open) dialog.showModal();
  explained = { id: r.id, sentence: s.q };
  if (s.q !== null) explain(r, s.q);
}

function step(by) {
  const s = state(), at = results.findIndex((r) => r.id === s.show) + by;
  if (results[at]) go({ ...s, show: results[at].id }, true);
}

function take(file) {
  if (!file) return;
  drops.push({ file, name: file.name || "the picture", address: URL.createObjectURL(file) });
  go({ drop: String(drops.length - 1) });
}

$("form").addEventListener("submit", (e) => {
  e.preventDefault();
  const { like, drop } = state(), q = $("sentence").value, picture = like !== null || drop !== null;
  shown = null; /* the same sentence again is a new search */
  go({ q: picture && !q.trim() ? null : q, like, drop });
  $("sentence").blur();
});
$("rerank").addEventListener("change", () => shown?.q && search(state(), shown.top));
$("forget").addEventListener("click", () => {
  go({ q: state().q });
  $("sentence").focus();
});
$("more").addEventListener("click", () => search(state(), shown.top * 2));
$("file").addEventListener("change", (e) => {
  take(e.target.files[0]);
  e.target.value = "";
});
$("close").addEventListener("click", () => go({ ...state(), show: null }));
$("detail").addEventListener("cancel", (e) => {
  e.preventDefault();
  go({ ...state(), show: null });
});
$("detail").addEventListener("click", (e) => e.target === $("detail") && go({ ...state(), show: null }));
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("like").addEventListener("click", () => go({ like: state().show }));
addEventListener("popstate", render);
addEventListener("keydown", (e) => {
  if ($("detail").open) {
    if (e.key === "ArrowLeft") step(-1);
    if (e.key === "ArrowRight") step(1);
  } else if (e.key === "/" && e.target !== $("sentence")) {
    e.preventDefault();
    $("sentence").select();
  }
});
for (const name of ["dragenter", "dragover"])
  addEventListener(name, (e) => {
    e.preventDefault();
    $("drop").classList.add("over");
  });
addEventListener("dragleave", (e) => e.relatedTarget || $("drop").classList.remove("over"));
addEventListener("drop", (e) => {
  e.preventDefault();
  $("drop").classList.remove("over");
  take(e.dataTransfer.files[0]);
});
addEventListener("paste", (e) => e.clipboardData.files.length && take(e.clipboardData.files[0]));

ask("/api/index").then((i) => {
  rerank = i.rerank;
  pictures = i.pictures;
  $("rerank").parentElement.hidden = !rerank;
}).catch((e) => say(e.message, true)).finally(() => {
  render();
  if (!location.search) $("sentence").focus();
});
