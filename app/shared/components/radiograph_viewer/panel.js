// The table of indications beside the radiograph, the threshold, the selected indications, facts on image and model.
import { element } from "../element.js";
import { isApart, probabilityFigure, shownProbability } from "../radiograph/boxes.js";
import { ListHead } from "./list_head.js";
import { claimOf, fullWords, isAbove, shownWords } from "./kinds.js";
import { Listing } from "./listing.js";
import { Picks } from "./picks.js";
import { CALL_MARKS, CALL_WORDS } from "./reading.js";

// Of the outline that the model drew where that is closer, else of the box. scale: { mmPerPx, source } or null.
function sizeText({ box, size, area }, scale) {
  const [longer, shorter] = size ? [size.length, size.width] : [box[2] - box[0], box[3] - box[1]].toSorted((a, b) => b - a);
  const areaText = scale ? `${Number(((area ?? 0) * scale.mmPerPx ** 2).toPrecision(2))} mm²` : `${area} px²`;
  const outlined = area ? `${size ? " around its outline" : ""}, outlined area ${areaText}` : "";
  if (!scale) return { cell: longer.toFixed(0), said: `${longer.toFixed(0)} px`, full: `${longer.toFixed(0)} × ${shorter.toFixed(0)} px${outlined}, scale unknown` };
  const mm = longer * scale.mmPerPx;
  const cell = mm.toFixed(mm < 10 ? 1 : 0);
  return { cell, said: `${cell} mm`, full: `${(longer * scale.mmPerPx).toFixed(2)} × ${(shorter * scale.mmPerPx).toFixed(2)} mm${outlined}, ${scale.source}` };
}

function probabilityText(probability, calibration) {
  if (calibration.is_verified === false) return `${probabilityFigure(probability)}, ${calibration.familiarity || calibration.warning}. It ranks the boxes of this image and says no more.`;
  const percent = probability >= 0.995 ? "more than 99" : probability < 0.005 ? "less than 1" : `about ${Math.round(probability * 100)}`;
  return `${probabilityFigure(probability)}: of boxes the model reports like this, ${percent} in 100 were real ` +
    `(IoU 0.5; ${calibration.words}). It is not the chance that nothing was missed.`;
}

// "indication 3, crack, probability 0.71, 4.8 mm, at x 812 y 402"
export function indicationLabel(detection, scale) {
  const { n, number = n, probability, box, call, isAdded } = detection;
  const name = fullWords(detection);
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2].map(Math.round);
  const how = isAdded ? "added by a person" : `probability ${probabilityFigure(probability)}${detection.is_unverified ? ", not verified" : ""}`;
  return `indication ${number}, ${name}, ${how}, ${sizeText(detection, scale).said}, at x ${x} y ${y}${call ? `, ${CALL_WORDS[call]}` : ""}`;
}

const RULE_MARKS = { acceptable: "✓", "not acceptable": "✕", "not evaluable": "–" };

export class Panel {
  // on: { dismissApart(), select(n, takeFocus), pick(numbers, primary), hover(n|null), threshold(value), below(), tab(name), listed(), details(entry|undefined) }
  constructor(root, on, isLabelling = false) {
    this.root = root;
    this.on = on;
    this.isLabelling = isLabelling;
    this.rows = new Map();
    this.scale = null;
    this.selected = null;
    this.picks = new Picks();
    this.listing = new Listing(isLabelling ? "number" : "severity");
    this.$ = (query) => root.querySelector(query);
    this.head = new ListHead(root, {
      sort: (name) => { this.listing.sortBy(name); on.listed(); },
      filter: (name, value) => { if (name) this.listing.filterBy(name, value); else this.listing.filters = {}; on.listed(); },
    });
    this.$(".threshold").addEventListener("input", (event) => on.threshold(Number(event.target.value)));
    this.$(".show-below").addEventListener("click", () => on.below());
    const table = this.$("table");
    table.addEventListener("click", (event) => { if (event.target.closest(".dismiss-apart")) on.dismissApart(); });
    const numberOf = (event) => Number(event.target.closest("tr[data-n]")?.dataset.n) || null;
    table.addEventListener("click", (event) => { if (numberOf(event)) this.#click(numberOf(event), event); });
    table.addEventListener("mousedown", (event) => { if (event.shiftKey) event.preventDefault(); }); // no text is marked
    table.addEventListener("pointerover", (event) => on.hover(numberOf(event)));
    table.addEventListener("pointerleave", () => on.hover(null));
    for (const tab of this.#tabs()) tab.addEventListener("click", () => this.openTab(tab.dataset.tab));
    this.$(".tabs").addEventListener("keydown", (event) => this.#tabKey(event));
  }

  // Shift picks a range, Ctrl adds one or takes it away.
  #click(n, { shiftKey, ctrlKey, metaKey }) {
    const { picks } = this;
    if (shiftKey) picks.rangeTo(n, this.listed());
    else if (ctrlKey || metaKey) picks.toggle(n);
    else return this.on.select(n);
    this.on.pick(picks.list, picks.has(n) ? n : (picks.list.at(-1) ?? null));
  }

  #tabs() { return [...this.root.querySelectorAll("[role=tab]")]; }

  openTab(name) {
    if (this.tab === name) return;
    this.tab = name;
    for (const tab of this.#tabs()) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const page of this.root.querySelectorAll("[role=tabpanel]")) page.hidden = page.dataset.tab !== name;
    this.on.tab(name);
  }

  #tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = this.#tabs();
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    this.openTab(next.dataset.tab);
    next.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  fill(data, scale) {
    Object.assign(this, { data, scale });
    this.isBlind = Boolean(data.reading?.is_blind); // then nothing tells of a model, not even that it found nothing
    for (const row of [".threshold-row", ".counts-row"]) this.$(row).hidden = this.isBlind;
    this.$(".size-head").textContent = scale ? "mm" : "px";
    this.$(".size-head").title = scale ? `longer side of the box; ${scale.source}` : "longer side of the box; the scale of this image is unknown";
    this.verdicts = Object.fromEntries(Object.entries(data.reading?.judgement?.indications ?? {}).map(([id, { verdict }]) => [id, verdict]));
    this.members = Map.groupBy(data.detections.filter(({ group }) => group), ({ group }) => group);
    this.#renewRows(data);
    this.listing.fill(data.detections, { verdicts: this.verdicts, ranks: data.reading?.severity });
    this.#fillFacts(data, scale);
  }

  // Only rows that changed are made anew: a film may hold hundreds.
  #renewRows({ detections, calibration }) {
    const before = this.rows;
    this.rows = new Map(detections.map((detection) => {
      const content = JSON.stringify([detection, this.verdicts[detection.id], this.members.get(detection.id)?.length, this.scale, calibration.id]);
      const known = before.get(detection.n);
      return [detection.n, known?.content === content ? known : Object.assign(this.#row(detection, calibration), { content })];
    }));
  }

  // Another image: its list begins in the order of the chosen column, without a filter.
  begin() { this.listing.forget(); }
  resort() { this.listing.resort(); }

  #fillFacts({ image, model, calibration, status }, scale) {
    this.$(".image-facts").replaceChildren(...factList(image ? [
      ["File", image.name], ["Size", `${image.width} × ${image.height} px`], ["Depth", `${image.bit_depth} bit, ${image.file_format}`],
      ["Polarity", image.polarity_text], ["", image.polarity_line?.warning],
      ["Scale", scale ? `${scale.mmPerPx.toPrecision(3)} mm/px, ${scale.source}` : "unknown: sizes in px"],
      ...Object.entries(image.fields), ...image.notes.map((note) => ["Note", note]), ["SHA-256", image.sha256],
    ] : []));
    this.$(".model-facts").replaceChildren(...factList(model ? [
      ["Model", model.title], ["Weights", model.sha256], ["Calibration", `${calibration.words}, id ${calibration.id}`],
      ["This image", calibration.familiarity], ["Score cut", calibration.score_cut], ["Operating point", calibration.operating_probability.toFixed(2)],
      ["Ran on", status.elapsed_ms ? `${model.device}, ${(status.elapsed_ms / 1000).toFixed(2)} s` : ""], ["Training data", model.data_notice],
    ] : []));
    const warning = calibration.warning ? [element("span", { class: "warning", text: `p: ${calibration.warning}` })] : [];
    this.$(".notice").replaceChildren(...warning, model?.data_notice ?? "");
  }

  #row(detection, calibration) {
    const size = sizeText(detection, this.scale);
    const { call, isAdded, probability } = detection;
    const isStated = call && call !== "candidate";
    const words = shownWords(isStated ? detection : { ...detection, iso6520: null, kind: null }, this.data.reading?.numbers);
    const level = detection.grade ? `, level ${detection.grade}` : "";
    return element("tr", { "data-n": detection.n, "data-call": call, tabindex: "-1", "aria-selected": "false", "aria-label": indicationLabel(detection, this.scale) },
      element("td", { text: detection.number ?? detection.n }),
      element("td", { text: `${words}${level}${this.#groupText(detection)}${detection.polygon ? " ⬠" : ""}`, title: this.#classTitle(detection, words) }),
      element("td", { class: detection.is_unverified ? "unverified" : "", text: shownProbability(detection), title: isAdded ? this.#addedBy(detection) : probabilityText(probability, calibration) }),
      element("td", { text: size.cell, title: size.full }),
      element("td", { class: "by-rule", "data-verdict": this.verdicts[detection.id], text: RULE_MARKS[this.verdicts[detection.id]] ?? "", title: this.#ruleWords(detection) }),
      element("td", { class: "call", ...(isAdded && call === "confirmed" ? { text: "+", title: "added by a person" } : { text: CALL_MARKS[call] ?? "", title: CALL_WORDS[call] ?? "" }) }));
  }

  #classTitle(detection, words) {
    const claim = claimOf(detection);
    if (claim) return `Claimed by the model: ${claim.words}. ${claim.said}`;
    return detection.iso6520 ? `ISO 6520-1: ${detection.iso6520}` : detection.kind ? words : "no evidence for a class";
  }

  #ruleWords({ id, call }) {
    if (!this.verdicts[id]) return "";
    return `${call === "confirmed" ? "by the rule" : "preview, if it is confirmed"}: ${this.verdicts[id]}`;
  }

  #groupText({ id }) {
    const members = this.members.get(id);
    return members ? ` · ${members.length} together` : "";
  }

  #addedBy({ origin, id }) {
    if (this.members.has(id)) return `A group of ${this.members.get(id).length}, counted as one.`;
    if (origin) return `Drawn by the ${origin}.`;
    if (this.data.reading?.is_labelling) return "Drawn by an annotator.";
    return this.isBlind ? "Drawn by you." : "Added by a person: the model did not report it.";
  }

  // The entries on show at or above the threshold, those below it, and those that a filter leaves out.
  parts(threshold) {
    const parts = { shown: [], below: [], left: [] };
    for (const entry of this.listing.ordered()) {
      const part = !this.listing.passes(entry) ? "left" : isAbove(entry, threshold) ? "shown" : "below";
      parts[part].push(entry);
    }
    return parts;
  }

  // Lists the rows; those below the threshold stand apart, and only when asked for.
  show({ shown, below, left }, threshold, isBelowShown) {
    const rowsOf = (list) => list.map((d) => this.rows.get(d.n));
    const hadFocus = this.root.getRootNode().activeElement?.closest?.("tr[data-n]")?.dataset.n;
    const apart = shown.filter(isApart);
    fillWith(this.$("tbody.shown"), rowsOf(shown.filter((entry) => !isApart(entry))));
    fillWith(this.$("tbody.apart"), apart.length ? [this.#apartHead(apart), ...rowsOf(apart)] : []);
    const head = element("tr", { class: "below-head" }, element("th", { colspan: 6, scope: "rowgroup", text: `below ${threshold.toFixed(2)}: not reported` }));
    fillWith(this.$("tbody.below"), isBelowShown && below.length ? [head, ...rowsOf(below)] : []);
    if (hadFocus) this.rows.get(Number(hadFocus))?.focus({ preventScroll: true });
    this.head.show(this.listing, !this.isLabelling && !this.isBlind);
    this.$(".threshold").value = threshold;
    this.$(".threshold-value").textContent = threshold.toFixed(2);
    this.$(".counts").textContent = this.#counts(shown, below, left, threshold);
    this.$(".show-below").setAttribute("aria-pressed", String(isBelowShown));
    this.$(".show-below").hidden = !below.length;
    this.$(".empty").hidden = shown.length > 0 || this.data.status.state !== "ready";
    this.$(".empty").textContent = this.#emptyText(threshold, below.length);
    this.root.dataset.shown = String(shown.length);
    this.#offerTabStop();
  }

  // What the model reports outside of the zone counts like the rest until somebody dismisses it.
  #apartHead(apart) {
    const open = apart.filter(({ call }) => call === "open").length;
    const dismiss = element("button", { type: "button", class: "quiet dismiss-apart", text: "dismiss all", title: "Dismiss all of them in one step (Ctrl + Delete); they count until then", hidden: !open || !this.data.reading?.is_open });
    return element("tr", { class: "below-head apart-head" }, element("th", { colspan: 6, scope: "rowgroup" }, `${apart.length} outside the ${apart[0].zoneWord}`, dismiss));
  }

  #counts(shown, below, left, threshold) {
    const open = shown.filter(({ call }) => call === "open").length;
    const hidden = left.filter((entry) => isAbove(entry, threshold) && !entry.group).length;
    const apart = shown.filter(isApart);
    return [`${shown.length}${hidden ? ` of ${shown.length + hidden}` : ""} shown`, ...(apart.length ? [`${apart.length} outside`] : []), `${below.length} below`, ...(open && !this.isLabelling ? [`${open} not assessed`] : [])].join(", ");
  }

  #emptyText(threshold, nWeak) {
    if (this.data.reading?.is_labelling && !this.data.detections.length) return "No label, and nothing is suggested: press n and drag over what you see.";
    if (this.isBlind) return "Nothing drawn yet: press b and drag over what you see.";
    if (this.listing.isFiltered) return "Nothing passes the filters.";
    if (nWeak) return `Nothing at ${threshold.toFixed(2)} or above. ${nWeak} weaker ${nWeak === 1 ? "box is" : "boxes are"} below the threshold.`;
    return "The model reports nothing here. That is not proof that nothing is there.";
  }

  // The numbers on show, from top to bottom.
  listed() { return [...this.root.querySelectorAll("tr[data-n]")].map((row) => Number(row.dataset.n)); }

  #offerTabStop() {
    const listed = [...this.root.querySelectorAll("tr[data-n]")];
    const stop = listed.find((row) => Number(row.dataset.n) === this.selected) ?? listed[0];
    for (const row of listed) {
      const at = row === stop ? 0 : -1;
      if (row.tabIndex !== at) row.tabIndex = at;
    }
  }

  // n: the indication whose details are on show; all that are picked are marked.
  select(n, takeFocus) {
    this.selected = n;
    for (const [number, row] of this.rows) {
      const isPicked = String(this.picks.has(number));
      if (row.getAttribute("aria-selected") !== isPicked) row.setAttribute("aria-selected", isPicked); // each one costs a restyling
    }
    this.#offerTabStop();
    this.#fillDetails(this.picks.size > 1 ? undefined : this.data?.detections.find((d) => d.n === n));
    const row = this.rows.get(n);
    if (!row?.isConnected) return;
    if (takeFocus || this.$("table").contains(this.root.getRootNode().activeElement)) row.focus({ preventScroll: true });
    this.#reveal(row);
  }

  // The details take room from the list: the row is brought into sight after they opened.
  #reveal(row) {
    const list = row.closest(".scroll");
    const [top, bottom] = [row.offsetTop - row.closest("table").tHead.offsetHeight, row.offsetTop + row.offsetHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  hover(n) { for (const [number, row] of this.rows) row.classList.toggle("hovered", number === n); }

  #fillDetails(detection) {
    const box = this.$(".details");
    box.hidden = !detection;
    this.on.details?.(detection);
    if (!detection) return;
    const code = detection.iso6520 ? ` (ISO 6520-1: ${detection.iso6520})` : "";
    this.$(".details-title").textContent = `${detection.number ?? detection.n} · ${fullWords(detection)}${code}`;
    this.$(".details-size").textContent = sizeText(detection, this.scale).full;
    const { isAdded } = detection;
    const remark = detection.remark ? `${detection.remark}. ` : "";
    const claim = claimOf(detection);
    const said = claim ? ` Claimed by the model: ${claim.said}` : "";
    this.$(".details-p").textContent = remark + said.trimStart() + (said ? " " : "") + (isAdded ? this.#addedBy(detection) : probabilityText(detection.probability, this.data.calibration));
    this.$(".details-raw").textContent =
      `${isAdded || detection.score === null ? "" : `raw score ${detection.score.toFixed(4)} · `}box ${detection.box.map((v) => v.toFixed(1)).join(", ")} px (x1, y1, x2, y2)`;
  }

  // method: of the map in the picture with the map of the selected box.
  setLinks(links, threshold, selected, method) {
    const isReady = Boolean(links);
    this.$(".downloads").hidden = !isReady;
    if (!isReady) return;
    const at = `threshold=${threshold.toFixed(2)}`;
    this.$(".get-json").href = links.json;
    this.$(".get-png").href = `${links.png}&${at}`;
    const withMap = this.$(".get-map-png");
    withMap.hidden = selected === null;
    if (selected !== null) withMap.href = `${links.png}&${at}&map=${selected}&method=${method}`;
  }
}

// Leaves a part of the table alone that holds these rows already.
function fillWith(body, rows) {
  const { children } = body;
  if (children.length !== rows.length || rows.some((row, i) => children[i] !== row)) body.replaceChildren(...rows);
}

function factList(pairs) {
  return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]);
}
