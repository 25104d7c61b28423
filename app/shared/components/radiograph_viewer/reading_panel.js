// What the inspector does in the panel: calls on the selected indication, the verdict, the decision, the signature.
const VERDICT_MARKS = { acceptable: "✓", "not acceptable": "✕", "not evaluable": "–" };
const QUALITY_MARKS = { passed: "✓", failed: "✕" };
const NOTE_AFTER_MS = 700;

const clockTime = (iso) => (iso ? new Date(iso).toLocaleTimeString("en-GB") : "");
const writeDecision = (decision) => JSON.stringify([decision.disposition ?? null, decision.note ?? ""]);

class ReadingPanel {
  // root: the panel; reading: a Reading. on: { select(n), call(act), note(n, text), send(name, event) }
  constructor(root, reading, on) {
    Object.assign(this, { root, reading, on });
    this.$ = (query) => root.querySelector(query);
    this.decision = new Saved("decision", writeDecision, { send: (event) => on.send("decision", event), changed: () => this.#showFoot() });
    this.data = null;
    this.unfolded = new Set(); // ids of the indications whose reasons are all on show
    this.#listen();
  }

  #listen() {
    this.$(".calls").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.on.call(button.dataset.call);
    });
    const note = this.$(".indication-note");
    note.addEventListener("change", () => this.on.note(Number(note.dataset.n), note.value.trim()));
    for (const button of this.root.querySelectorAll("[data-disposition]"))
      button.addEventListener("click", () => this.#dispose(button.dataset.disposition));
    this.$(".decision-note").addEventListener("input", () => this.#noteLater());
    this.$(".decision-note").addEventListener("change", () => this.#takeNote());
    this.$(".sign").addEventListener("click", () => this.#sign());
    this.$(".revise").addEventListener("click", () => this.on.send("revise", this.data.inspection_id));
    this.$(".undo").addEventListener("click", () => this.reading.undo());
    this.$(".redo").addEventListener("click", () => this.reading.redo());
    this.$(".saved-line").addEventListener("click", (event) => { if (event.target.matches(".retry")) this.#each((one) => one.retry()); });
    this.$(".verdict-page").addEventListener("click", (event) => {
      const row = event.target.closest("[data-n]");
      if (row) this.on.select(Number(row.dataset.n));
    });
    this.$(".verdict-page").addEventListener("toggle", ({ target }) => this.unfolded[target.open ? "add" : "delete"](target.dataset.id), true);
    this.$(".conflict").addEventListener("click", (event) => this.#settle(event.target.dataset.take));
  }

  #each(act) { for (const one of [this.reading.saved, this.decision]) act(one); }

  update(data) {
    this.data = data;
    this.root.dataset.reading = data ? (data.is_open ? "open" : "closed") : "none";
    this.$(".decision").hidden = !data;
    this.$("[data-tab=verdict]").disabled = !data;
    const { decision } = data ?? {};
    this.decision.update(data && {
      id: data.inspection_id, owner: data.owner, version: decision.version, content: { disposition: decision.disposition, note: decision.note },
      isOpen: data.is_open, author: decision.author, savedAt: decision.saved_at,
    }, data?.refused);
    this.#showQuality();
    this.show();
  }

  // After every change of the reading.
  show() {
    this.#showFoot();
    this.#showVerdict();
    this.#showConflict();
  }

  // The buttons below the table, for the selected indication; null when none is.
  showCalls(entry) {
    const canChange = Boolean(entry) && this.reading.canChange;
    this.$(".calls").hidden = !canChange;
    const note = this.$(".indication-note");
    note.hidden = !entry || !this.reading.isThere || entry.call === "candidate" || (!canChange && !entry.note);
    note.readOnly = !canChange;
    if (!entry) return;
    const press = (call, isPressed) => this.$(`[data-call=${call}]`).setAttribute("aria-pressed", String(isPressed));
    press("confirm", entry.call === "confirmed");
    press("dismiss", entry.call === "dismissed");
    this.$("[data-call=dismiss] span").textContent = entry.isAdded ? "Delete" : "Dismiss";
    this.$("[data-call=dismiss]").disabled = entry.call === "candidate";
    showNote(note, `${this.reading.saved.id} ${entry.n}`, entry.note);
    note.dataset.n = entry.n;
  }

  // --- decision -----------------------------------------------------------------------------
  #dispose(disposition) {
    const { content } = this.decision;
    this.decision.set({ ...content, note: this.$(".decision-note").value.trim(), disposition: content.disposition === disposition ? null : disposition });
  }

  #noteLater() {
    clearTimeout(this.noting);
    this.noting = setTimeout(() => this.#takeNote(), NOTE_AFTER_MS);
  }

  // What was typed and not taken yet, before another image comes on show.
  takeNotes() {
    this.#takeNote();
    takeNote(this.$(".indication-note"), this.on);
  }

  #takeNote() {
    clearTimeout(this.noting);
    const note = this.$(".decision-note").value.trim();
    if (this.decision.content && note !== this.decision.content.note) this.decision.set({ ...this.decision.content, note });
  }

  #sign() {
    this.#takeNote();
    if (!this.#isAllSaved()) return;
    this.on.send("sign", { inspection_id: this.data.inspection_id, version: this.decision.base, reading_version: this.reading.saved.base });
  }

  #isAllSaved() { return this.reading.saved.state === "saved" && this.decision.state === "saved"; }

  #showFoot() {
    const { data, decision, reading } = this;
    if (!data || !decision.content) return;
    const isOpen = data.is_open;
    for (const button of this.root.querySelectorAll("[data-disposition]")) {
      button.setAttribute("aria-pressed", String(button.dataset.disposition === decision.content.disposition));
      button.disabled = !isOpen || Boolean(decision.conflict);
    }
    const note = this.$(".decision-note");
    note.readOnly = !isOpen;
    showNote(note, decision.id, decision.content.note);
    note.hidden = !isOpen && !decision.content.note;
    this.$(".sign").hidden = !isOpen;
    this.$(".sign").disabled = !data.may_sign || !decision.content.disposition || !this.#isAllSaved();
    this.$(".sign").title = (data.why_not_sign && `${data.why_not_sign}: it takes an account`) || (decision.content.disposition ? "Asks for your password" : "Choose a disposition first");
    if (data.sign_label) Object.assign(this.$(".sign"), { textContent: data.sign_label, title: data.sign_title });
    for (const [name, list] of [["undo", reading.past], ["redo", reading.future]]) {
      this.$(`.${name}`).hidden = !isOpen;
      this.$(`.${name}`).disabled = !list.length || !reading.canChange;
    }
    this.$(".signed").hidden = isOpen;
    this.$(".signed").replaceChildren(...data.signatures.map((one) => element("p", { text: `${one.meaning}: signed by ${one.name}, ${one.at}` })),
      element("p", { class: "quietly", text: `${data.state}; nothing about it changes any more` }));
    this.$(".revise").hidden = !data.may_revise;
    this.$(".report").hidden = !data.report_url;
    if (data.report_url) this.$(".report").href = data.report_url;
    this.#showSaved();
  }

  #showSaved() {
    const { data, decision, reading } = this;
    const states = [reading.saved, decision];
    const [bad] = ["conflict", "refused", "late", "saving"].map((state) => states.find((one) => one.state === state)).filter(Boolean);
    const line = this.$(".saved-line");
    line.dataset.state = bad?.state ?? "saved";
    const moments = [data.saved_at, data.decision.saved_at].filter(Boolean).sort();
    const words = {
      conflict: "not saved: changed elsewhere", saving: "saving", late: "not saved yet: no answer; kept in this browser",
      saved: moments.length ? `saved ${clockTime(moments.at(-1))}` : "nothing to save yet",
    };
    if (bad?.state !== "refused") line.textContent = data.is_open ? words[bad?.state ?? "saved"] : "";
    else line.replaceChildren(`not saved: ${bad.refusal} `, element("button", { type: "button", class: "quiet retry", text: "try again" }));
    if (data.is_open && data.is_revision && !bad) line.textContent += " · correction of a signed one";
    if (data.is_open && !data.may_sign && !bad) line.textContent += ` · ${data.why_not_sign}`;
  }

  // --- verdict ------------------------------------------------------------------------------
  #showVerdict() {
    const page = this.$(".verdict-page");
    if (!this.data) return page.replaceChildren();
    const { judgement } = this.data;
    const isOld = this.reading.saved.state === "saving";
    const word = judgement.verdict ?? "no verdict";
    const banner = element("p", { class: "verdict", "data-verdict": word }, element("span", { class: "mark", "aria-hidden": "true", text: VERDICT_MARKS[word] ?? "–" }), ` ${word}`);
    const lines = [
      ...judgement.withheld.map((text) => element("p", { class: "withheld", text: `withheld: ${text}` })),
      ...(judgement.table ? [element("p", { text: judgement.table, title: judgement.version })] : []),
      ...(judgement.caveat ? [element("p", { class: "caveat", text: judgement.caveat })] : []),
      ...(judgement.summary ? [element("p", { text: judgement.summary })] : []),
      ...judgement.notes.map((text) => element("p", { class: "quietly", text })),
      ...(judgement.verdict ? [] : [element("p", { class: "quietly", text: "Without a verdict nothing is accepted. Standard, level and thickness are asked for above the radiograph; image quality is told under Image." })]),
    ];
    const judged = this.reading.entries().filter((one) => judgement.indications?.[one.id]);
    page.replaceChildren(banner, element("div", { class: "about" }, ...lines), ...judged.map((one) => this.#judged(one, judgement.indications[one.id])),
      ...(judgement.verdict ? [element("p", { class: "quietly last", text: "A rule judged your reading; the model took no part in it. Dismissed indications are not judged." })] : []), ...this.#route(page));
    page.classList.toggle("old", isOld);
  }

  // Where the model would send the image, folded: not a verdict, not a disposition.
  #route(page) {
    const { route } = this.data;
    if (!route || this.data.is_blind) return [];
    return [element("details", { class: "route quietly", "data-route": route.route, open: page.querySelector(".route")?.open },
      element("summary", { text: route.text, title: route.reasons.join("\n") }), ...route.reasons.map((text) => element("p", { text })))];
  }

  #judged(entry, { verdict, reasons, clauses }) {
    const head = element("p", { class: "judged-head" }, element("strong", { text: `${entry.n} ${entry.class}${entry.iso6520 && entry.call !== "candidate" ? ` ${entry.iso6520}` : ""}` }),
      element("span", { "data-verdict": verdict, text: `${VERDICT_MARKS[verdict]} ${verdict}` }));
    const [first, ...rest] = reasons;
    const clause = clauses.length ? [element("p", { class: "quietly", text: clauses.join("; ") })] : [];
    if (!rest.length) return element("div", { class: "judged", "data-n": entry.n }, head, ...(first ? [element("p", { text: first })] : []), ...clause);
    // many indications, many kinds each: the first reason is enough until somebody asks
    return element("div", { class: "judged", "data-n": entry.n }, head, element("details", { "data-id": entry.id, open: this.unfolded.has(entry.id) },
      element("summary", { text: first }), element("ul", {}, ...rest.map((text) => element("li", { text }))), ...clause));
  }

  #showQuality() {
    const list = this.$(".quality");
    const lines = this.data?.image_quality;
    list.hidden = !lines;
    list.replaceChildren(...(lines ?? []).map(({ name, state, message }) => element("li", { "data-state": state },
      element("span", { class: "mark", text: `${QUALITY_MARKS[state] ?? "–"} ` }), element("strong", { text: name }), ` ${message}`)));
    list.title = "Image quality; what failed withholds the verdict";
  }

  // --- somebody was faster ------------------------------------------------------------------
  #showConflict() {
    const held = [this.reading.saved, this.decision].find((one) => one.conflict) ?? null;
    this.conflicting = held;
    const words = held === this.decision ? decisionLines : (list) => list.map((one) => indicationLine(one));
    showVersions(this.$(".conflict"), held?.conflict ?? null, words, "no indication");
  }

  #settle(which) {
    if (which === "mine") this.conflicting?.saveMine();
    if (which === "stored") this.conflicting?.takeStored();
  }
}

const decisionLines = ({ disposition, note }) => [`disposition: ${disposition ?? "none"}`, `note: ${note || "none"}`];

// "3 crack 1011, confirmed, at x 812 y 402, 40 × 12 px"
function indicationLine(one) {
  const [x0, y0, x1, y1] = one.bbox.map(Math.round);
  const number = one.model_index === null ? `added ${one.id.slice(1)}` : one.model_index + 1;
  return `${number} ${one.class}${one.iso6520 ? ` ${one.iso6520}` : ""}, ${one.call}, at x ${x0} y ${y0}, ${x1 - x0} × ${y1 - y0} px${one.note ? `, "${one.note}"` : ""}`;
}
