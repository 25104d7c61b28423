// What an annotator does beside the radiograph: why it is here, the class by digit, accept all, the note, submit, skip.
const CLASS_DIGITS = ["porosity", "crack", "inclusion", "lack of fusion", "lack of penetration", "undercut", "unclassified"];
const LEFT_FOR_MS = 4000; // then the server did not show another image
const SKIP_REASONS = ["not sure", "image unfit", "not a radiograph of ours"];

class LabelPanel {
  // root: the panel; labels: a Labels. on: { call(act), note(n, text), classify(digit), acceptAll(), waiting(), send(name, event) }
  constructor(root, labels, on) {
    Object.assign(this, { root, labels, on });
    this.$ = (query) => root.querySelector(query);
    this.data = null;
    this.wanted = null; // "submit" while the last change is on its way
    this.#build();
    this.#listen();
  }

  #build() {
    hideAll(this.root, ["[data-tab=verdict]", ".dispositions", ".sign", ".revise", ".report", ".signed"]);
    this.root.dataset.mode = "label";
    Object.assign(this.$("thead th:last-child"), { textContent: "label", title: "✓ label, + drawn, ✕ refused" });
    this.$("[data-tab=indications]").textContent = "Labels";
    this.why = element("div", { class: "why", hidden: true });
    this.$("[role=tabpanel][data-tab=indications]").prepend(this.why);
    this.classes = element("div", { class: "class-keys", role: "group", "aria-label": "Class of the selected box" },
      ...CLASS_DIGITS.map((name, i) => element("button", { type: "button", "data-digit": i + 1, "aria-pressed": "false", title: `${name} (${i + 1})` }, element("kbd", { text: i + 1 }), ` ${name}`)));
    this.actions = element("div", { class: "label-actions" },
      element("button", { type: "button", class: "accept-all", title: "Accept every suggestion on show (a)" }, element("span", { text: "Accept all" }), " ", element("kbd", { text: "a" })),
      element("button", { type: "button", class: "skip", title: "Leave this image without labelling it (s)" }, "Skip ", element("kbd", { text: "s" })),
      element("button", { type: "button", class: "submit", title: "The labels are complete: close this image and go on (Ctrl + Enter)" }, element("span", { text: "Done, next" }), " ", element("kbd", { text: "Ctrl ↵" })));
    this.skipForm = element("form", { class: "skip-form", hidden: true, role: "dialog", "aria-label": "Why is it skipped?" },
      element("p", { text: "Why is it skipped?" }),
      ...SKIP_REASONS.map((text, i) => element("button", { type: "button", "data-reason": text }, element("kbd", { text: i + 1 }), ` ${text}`)),
      element("input", { maxlength: 300, placeholder: "or in your words, then Enter; Esc goes back", "aria-label": "Why is it skipped?" }));
    this.$(".decision").prepend(this.classes);
    this.$(".sign-row").before(this.actions);
    this.root.append(this.skipForm);
    Object.assign(this.$(".decision-note"), { placeholder: "note on this image", ariaLabel: "Note on this image" });
    this.$("[data-call=confirm]").title = "Accept (y)";
    this.$("[data-call=confirm] span").textContent = "Accept";
    this.$("[data-call=classify] span").textContent = "Kind";
    this.$("[data-call=classify]").title = "ISO 6520-1 number (e)";
  }

  #listen() {
    const { labels, on } = this;
    this.$(".calls").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) on.call(button.dataset.call);
    });
    const note = this.$(".indication-note");
    note.addEventListener("change", () => on.note(Number(note.dataset.n), note.value.trim()));
    this.$(".decision-note").addEventListener("input", () => this.#noteLater());
    this.$(".decision-note").addEventListener("change", () => this.#takeNote());
    this.classes.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) on.classify(Number(button.dataset.digit));
    });
    this.actions.querySelector(".accept-all").addEventListener("click", () => on.acceptAll());
    this.actions.querySelector(".submit").addEventListener("click", () => this.submit());
    this.actions.querySelector(".skip").addEventListener("click", () => this.askToSkip());
    this.$(".undo").addEventListener("click", () => labels.undo());
    this.$(".redo").addEventListener("click", () => labels.redo());
    this.$(".saved-line").addEventListener("click", (event) => { if (event.target.matches(".retry")) labels.saved.retry(); });
    this.$(".conflict").addEventListener("click", (event) => {
      if (event.target.dataset.take === "mine") labels.saved.saveMine();
      if (event.target.dataset.take === "stored") labels.saved.takeStored();
    });
    this.#listenToSkip();
  }

  #listenToSkip() {
    const input = this.skipForm.querySelector("input");
    const skip = (why) => {
      if (!why.trim()) return;
      this.closeSkip();
      this.#leave("skip", { inspection_id: this.data.inspection_id, why: why.trim() });
    };
    this.skipForm.addEventListener("submit", (event) => { event.preventDefault(); skip(input.value); });
    this.skipForm.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) skip(button.dataset.reason);
    });
    this.skipForm.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.closeSkip();
      const reason = !input.value && SKIP_REASONS[Number(event.key) - 1];
      if (reason) { event.preventDefault(); skip(reason); }
    });
  }

  askToSkip() {
    if (!this.data?.is_open || this.labels.isLeft) return;
    this.skipForm.hidden = false;
    const input = this.skipForm.querySelector("input");
    input.value = "";
    input.focus();
  }

  closeSkip() {
    this.skipForm.hidden = true;
    this.on.leave();
  }

  // The labels are complete: sent as soon as the last change is stored.
  submit() {
    this.#takeNote();
    if (!this.data?.is_open || this.labels.saved.conflict || this.labels.isLeft) return;
    this.wanted = "submit";
    this.#sendWanted();
  }

  #sendWanted() {
    const { saved } = this.labels;
    if (!this.wanted || saved.state !== "saved") return;
    this.wanted = null;
    this.#leave("submit", { inspection_id: saved.id, version: saved.base });
  }

  #leave(how, event) {
    this.labels.isLeft = true;
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.#stay(), LEFT_FOR_MS);
    this.on.send(how, event);
  }

  #stay() {
    clearTimeout(this.leaving);
    this.labels.isLeft = false;
    if (this.data) this.show();
  }

  update(data) {
    if (data?.inspection_id !== this.data?.inspection_id) {
      this.wanted = null;
      this.labels.isLeft = false;
      this.skipForm.hidden = true;
    }
    this.data = data;
    this.root.dataset.reading = data ? (data.is_open ? "open" : "closed") : "none";
    this.$(".decision").hidden = !data;
    this.show();
  }

  // After every change of the labels.
  show() {
    const { data, labels } = this;
    if (!data) return;
    this.#showWhy();
    const note = this.$(".decision-note");
    note.readOnly = !data.is_open;
    showNote(note, labels.saved.id, labels.content.note);
    for (const [name, list] of [["undo", labels.past], ["redo", labels.future]]) this.$(`.${name}`).disabled = !list.length || !labels.canChange;
    const n = this.on.waiting();
    this.actions.querySelector(".accept-all").disabled = !n || !labels.canChange;
    this.actions.querySelector(".accept-all span").textContent = n ? `Accept all ${n}` : "Accept all";
    for (const name of [".skip", ".submit"]) this.actions.querySelector(name).disabled = !data.is_open;
    this.actions.querySelector(".submit span").textContent = data.has_next ? "Done, next" : "Done";
    this.actions.querySelector(".skip").hidden = !data.items.length;
    this.#showSaved();
    showVersions(this.$(".conflict"), labels.saved.conflict, ({ labels: list, note: words }) => [...list.map(labelLine), ...(words ? [`note: ${words}`] : [])], "no label");
    this.#sendWanted();
  }

  #showWhy() {
    const { items, others } = this.data;
    this.why.hidden = !items.length && !others.length;
    this.why.replaceChildren(
      ...others.map((name) => element("p", { class: "others", role: "status", text: `${name} is at this image now` })),
      ...items.map(({ words, remark }) => element("p", {}, element("strong", { text: words }), remark ? ` ${remark}` : "")));
  }

  #showSaved() {
    const { saved } = this.labels;
    const line = this.$(".saved-line");
    line.dataset.state = saved.state;
    const words = {
      conflict: "not saved: changed elsewhere", saving: "saving", late: "not saved yet: no answer; kept in this browser",
      saved: this.data.saved_at ? `saved ${clockTime(this.data.saved_at)}` : "nothing to save yet",
    };
    if (saved.state !== "refused") line.textContent = words[saved.state];
    else line.replaceChildren(`not saved: ${saved.refusal} `, element("button", { type: "button", class: "quiet retry", text: "try again" }));
  }

  // The buttons below the table, for the selected box; undefined when none is.
  showCalls(entry) {
    const canChange = Boolean(entry) && this.labels.canChange;
    this.$(".calls").hidden = !canChange;
    for (const button of this.classes.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Boolean(entry) && entry.class === CLASS_DIGITS[button.dataset.digit - 1]));
      button.disabled = !canChange;
    }
    const note = this.$(".indication-note");
    note.hidden = !entry || entry.call !== "confirmed";
    note.readOnly = !canChange;
    if (!entry) return;
    this.$("[data-call=confirm]").setAttribute("aria-pressed", String(entry.call === "confirmed"));
    this.$("[data-call=dismiss]").setAttribute("aria-pressed", String(entry.call === "dismissed"));
    this.$("[data-call=dismiss] span").textContent = entry.call === "confirmed" ? "Delete" : "Refuse";
    showNote(note, `${this.labels.saved.id} ${entry.n}`, entry.note);
    note.dataset.n = entry.n;
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
    this.labels.noteImage(this.$(".decision-note").value.trim());
  }
}

// What only an inspection needs.
function hideAll(root, queries) { for (const query of queries) root.querySelector(query).hidden = true; }
