// The panel where an inspection is read: image quality, the verdict of the rule, the decision, the signature.
import { element, onButton } from "../element.js";
import { Grades, gradedKinds } from "./grades.js";
import { shownWords } from "./kinds.js";
import { DISMISSALS, indicationLine } from "./reading.js";
import { RecordPanel } from "./record_panel.js";
import { Saved } from "./saved.js";

const VERDICT_MARKS = { acceptable: "✓", "not acceptable": "✕", "not evaluable": "–", "not assessed": "○" };
const QUALITY_MARKS = { passed: "✓", failed: "✕" };

const RESHOOT = "re-shoot";

const writeDecision = ({ disposition, note, reshoot_reason: reason }) => JSON.stringify([disposition ?? null, note ?? "", reason ?? null]);

export class ReadingPanel extends RecordPanel {
  // on: that of a RecordPanel, and select(n)
  constructor(root, reading, on) {
    const decision = new Saved("decision", writeDecision, { send: (event) => on.send("decision", event), changed: () => this.#showFoot() });
    super(root, reading, [reading.saved, decision], on);
    Object.assign(this, { reading, decision });
    this.unfolded = new Set(); // ids of the indications whose reasons are all on show
    onButton(this.$(".dispositions"), ({ disposition }) => this.#dispose(disposition));
    onButton(this.$(".dismissals"), ({ as }) => { if (as) reading.dismissAs([Number(this.$(".dismissals").dataset.n)], as); });
    this.$(".reshoot-reason").addEventListener("change", ({ target }) => this.#giveReason(target.value));
    onButton(this.$(".sign"), () => this.#sign());
    onButton(this.$(".unveil"), () => this.unveil());
    onButton(this.$(".revise"), () => on.send("revise", this.data.inspection_id));
    const page = this.$(".verdict-page");
    this.grades = new Grades(page, { grade: (numbers, level) => reading.grade(numbers, level) });
    page.addEventListener("click", (event) => {
      const row = event.target.closest("[data-n]");
      if (row && !event.target.closest("label")) on.select(Number(row.dataset.n));
    });
    page.addEventListener("toggle", ({ target }) => this.unfolded[target.open ? "add" : "delete"](target.dataset.id), true);
  }

  update(data) {
    super.update(data);
    this.$("[data-tab=verdict]").disabled = !data;
    const { decision } = data ?? {};
    this.decision.update(data && {
      id: data.inspection_id, owner: data.owner, version: decision.version, content: { disposition: decision.disposition, note: decision.note, reshoot_reason: decision.reshoot_reason ?? null },
      isOpen: data.is_open, author: decision.author, savedAt: decision.saved_at,
    }, data?.refused);
    this.#showQuality();
    this.show();
  }

  // After every change of the reading.
  show() {
    this.#showFoot();
    this.#showVerdict();
    this.showConflict((content, saved) => (saved === this.decision ? decisionLines(content) : content.map((one) => indicationLine(one, this.data.numbers))), "no indication");
  }

  // The buttons below the table, for the selected indication; undefined when none is.
  showCalls(entry) {
    const canChange = Boolean(entry) && this.reading.canChange;
    const isNoted = Boolean(entry) && this.reading.isThere && entry.call !== "candidate" && (canChange || Boolean(entry.note));
    this.showEntry(entry, { canChange, isNoted, dismissText: entry?.nMembers ? "Ungroup" : entry?.isAdded ? "Delete" : "Dismiss" });
    this.$("[data-call=dismiss]").disabled = entry?.call === "candidate";
    this.#showDismissals(entry, canChange);
  }

  // What the dismissed indication is instead.
  #showDismissals(entry, canChange) {
    const row = this.$(".dismissals");
    row.hidden = entry?.call !== "dismissed" || !this.reading.isThere;
    row.dataset.n = entry?.n ?? "";
    row.replaceChildren(element("span", { text: "as" }), ...DISMISSALS.map((text) => element("button", { type: "button", "data-as": text, "aria-pressed": String(text === entry?.dismissed_as), disabled: !canChange, text })), element("kbd", { text: "q", title: "q: the next kind" }));
  }

  // --- decision -----------------------------------------------------------------------------
  #dispose(disposition) {
    const { content } = this.decision;
    this.decision.set({ note: this.$(".decision-note").value.trim(), disposition: content.disposition === disposition ? null : disposition, reshoot_reason: null });
    if (this.decision.content.disposition === RESHOOT) this.$(".reshoot-reason").focus();
  }

  #giveReason(reason) { this.decision.set({ ...this.decision.content, reshoot_reason: reason || null }); }

  note(text) {
    const { content } = this.decision;
    if (content && text !== content.note) this.decision.set({ ...content, note: text });
  }

  #sign() {
    this.takeNote();
    if (!this.#isAllSaved()) return;
    this.on.send("sign", { inspection_id: this.data.inspection_id, version: this.decision.base, reading_version: this.reading.saved.base });
  }

  // The first look is done, once all of it is saved.
  unveil() {
    if (!this.data?.is_first_look || !this.#isAllSaved()) return;
    this.on.send("unveil", { inspection_id: this.data.inspection_id, version: this.reading.saved.base });
  }

  #isAllSaved() { return this.saves.every(({ state }) => state === "saved"); }

  #showFoot() {
    const { data, decision } = this;
    if (!data || !decision.content) return;
    const isOpen = data.is_open;
    for (const button of this.root.querySelectorAll("[data-disposition]")) {
      button.setAttribute("aria-pressed", String(button.dataset.disposition === decision.content.disposition));
      button.disabled = !isOpen || Boolean(decision.conflict);
    }
    this.#showReshoot();
    this.showNoteOn(decision, decision.content.note);
    this.$(".decision-note").hidden = !isOpen && !decision.content.note;
    this.#showSign();
    this.showSteps();
    for (const name of [".undo", ".redo"]) this.$(name).hidden = !isOpen;
    this.$(".signed").hidden = isOpen;
    this.$(".signed").replaceChildren(...data.signatures.map(({ meaning, name, at }) => element("p", { text: `Signed by ${name}, ${at}, ${meaning}` })), ...(data.override ? [element("p", { class: "override", text: data.override })] : []),
      element("p", { class: "quietly", text: `${data.state}; nothing about it changes any more` }));
    this.$(".revise").hidden = !data.may_revise;
    this.$(".report").hidden = !data.report_url;
    if (data.report_url) this.$(".report").href = data.report_url;
    this.#showSaved();
  }

  // Why another exposure is needed; a blind reading is not asked for it.
  #showReshoot() {
    const { data, decision } = this;
    const list = this.$(".reshoot-reason");
    const reasons = data.reshoot_reasons ?? [];
    this.$(".reshoot").hidden = decision.content.disposition !== RESHOOT || !reasons.length;
    if (list.options.length !== reasons.length + 1) list.replaceChildren(element("option", { value: "", text: "choose a reason" }), ...reasons.map((text) => element("option", { value: text, text })));
    list.value = decision.content.reshoot_reason ?? "";
    list.disabled = !data.is_open || Boolean(decision.conflict);
  }

  // Why nothing can be signed yet, "" when it can.
  #missing() {
    const { data, decision } = this;
    if (data.why_not_sign) return `${data.why_not_sign}: it takes an account`;
    if (!decision.content.disposition) return "Choose a disposition first";
    return decision.content.disposition === RESHOOT && data.reshoot_reasons && !decision.content.reshoot_reason ? "Choose why it is taken again first" : "";
  }

  #showSign() {
    const { data } = this;
    const missing = this.#missing();
    const button = this.$(".sign");
    button.hidden = !data.is_open || Boolean(data.is_first_look);
    this.$(".dispositions").hidden = Boolean(data.is_first_look); // it is judged after the model was shown
    Object.assign(this.$(".unveil"), { hidden: !data.is_first_look || !data.is_open, disabled: !this.#isAllSaved() });
    button.disabled = !data.may_sign || Boolean(missing) || !this.#isAllSaved();
    button.title = missing || "Asks for your password";
    if (data.sign_label) Object.assign(button, { textContent: data.sign_label, title: data.sign_title });
  }

  #showSaved() {
    const { data } = this;
    const isSaved = this.showSaved(data.saved_at, data.decision.saved_at);
    const line = this.$(".saved-line");
    if (!data.is_open && line.dataset.state !== "refused") line.textContent = "";
    if (!data.is_open || !isSaved) return;
    if (data.is_revision) line.append(" · correction of a signed one");
    if (!data.may_sign) line.append(` · ${data.why_not_sign}`);
  }

  // --- verdict ------------------------------------------------------------------------------
  #showVerdict() {
    const page = this.$(".verdict-page");
    if (!this.data) return page.replaceChildren();
    const { judgement } = this.data;
    const word = judgement.verdict ?? "not evaluable";
    const banner = element("p", { class: "verdict", "data-verdict": word }, element("span", { class: "mark", "aria-hidden": "true", text: VERDICT_MARKS[word] }), ` ${judgement.words ?? word}`);
    const lines = [
      ...(this.data.first_look ? [element("p", { class: "first-look quietly", text: `First look: ${this.data.first_look}` })] : []),
      ...(this.data.unread ?? []).map((text) => element("p", { class: "caveat unread", text: `Also in the file: ${text}.` })),
      ...judgement.withheld.map((text) => element("p", { class: "withheld", text: `no verdict by the rule: ${text}` })),
      ...(judgement.table ? [element("p", { text: judgement.table, title: judgement.version })] : []),
      ...(judgement.caveat ? [element("p", { class: "caveat", text: judgement.caveat })] : []),
      ...(judgement.summary ? [element("p", { text: judgement.summary })] : []),
      ...judgement.notes.map((text) => element("p", { class: "quietly", text })),
      ...(judgement.table || this.data.is_first_look ? [] : [element("p", { class: "quietly", text: "Without a verdict nothing is accepted unless you say why. Standard, level and thickness are asked for above the radiograph; image quality is told under Image." })]),
    ];
    const preview = judgement.preview ? [element("p", { class: "preview quietly", text: `Preview, not a verdict: with every indication confirmed as the model reports it: ${judgement.preview}` })] : [];
    const entries = this.reading.entries();
    const kinds = judgement.grading ? gradedKinds(entries) : new Map();
    const isGraded = new Set([...kinds.values()].flat().map(({ id }) => id));
    const judged = entries.filter(({ id }) => judgement.indications?.[id] && !isGraded.has(id))
      .toSorted((a, b) => judgement.indications[a.id].is_preview - judgement.indications[b.id].is_preview); // what people confirmed comes first
    const levels = judgement.grading ? this.grades.lines(kinds, { grading: judgement.grading, judged: judgement.indications, numbers: this.data.numbers, canChange: this.reading.canChange, marks: VERDICT_MARKS }) : [];
    page.replaceChildren(banner, element("div", { class: "about" }, ...lines, ...preview), ...levels, ...judged.map((entry) => this.#judged(entry, judgement.indications[entry.id])),
      ...(judgement.table ? [element("p", { class: "quietly last", text: "The rule judges what you confirmed; the model takes no part in it." })] : []), ...this.#route(page));
    page.classList.toggle("old", this.reading.saved.state === "saving");
  }

  // The route that the model advises, folded, where it is certified: neither a verdict nor a disposition.
  #route(page) {
    const { route } = this.data;
    if (!route?.is_certified || this.data.is_blind) return [];
    return [element("details", { class: "route quietly", "data-route": route.route, open: page.querySelector(".route")?.open },
      element("summary", { text: route.text, title: route.reasons.join("\n") }), ...route.reasons.map((text) => element("p", { text })))];
  }

  #judged(entry, { verdict, reasons, clauses, is_preview: isPreview }) {
    const head = element("p", { class: "judged-head" }, element("strong", { text: `${entry.n} ${shownWords(entry.call === "candidate" ? { ...entry, iso6520: null } : entry, this.data.numbers)}` }),
      isPreview ? element("span", { class: "quietly", text: `not assessed; preview: ${verdict}` }) : element("span", { "data-verdict": verdict, text: `${VERDICT_MARKS[verdict]} ${verdict}` }));
    const [first, ...rest] = reasons;
    const clause = clauses.length ? [element("p", { class: "quietly", text: clauses.join("; ") })] : [];
    // many indications, many kinds each: the first reason is enough until somebody asks
    const told = rest.length ? [element("details", { "data-id": entry.id, open: this.unfolded.has(entry.id) },
      element("summary", { text: first }), element("ul", {}, ...rest.map((text) => element("li", { text }))), ...clause)]
      : [...(first ? [element("p", { text: first })] : []), ...clause];
    return element("div", { class: "judged", "data-n": entry.n }, head, ...told);
  }

  #showQuality() {
    const list = this.$(".quality");
    const lines = this.data?.image_quality;
    list.hidden = !lines;
    list.replaceChildren(...(lines ?? []).map(({ name, state, message }) => element("li", { "data-state": state },
      element("span", { class: "mark", text: `${QUALITY_MARKS[state] ?? "–"} ` }), element("strong", { text: name }), ` ${message}`)));
    list.title = "Image quality; what failed withholds the verdict";
  }
}

const decisionLines = ({ disposition, note, reshoot_reason: reason }) => [`disposition: ${disposition ?? "none"}${reason ? `: ${reason}` : ""}`, `note: ${note || "none"}`];
