// The panel where labels are made: why the image is here, the class by digit, accept all, the note, submit, skip.
import { element, onButton } from "../element.js";
import { labelLine } from "./labels.js";
import { RecordPanel } from "./record_panel.js";

export const CLASS_DIGITS = ["porosity", "crack", "inclusion", "lack of fusion", "lack of penetration", "undercut", "unclassified"];
// Keys of the own classes, in their order.
const OWN_KEYS = ["8", "9", "0", ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `⇧${digit}`)];
const LEFT_FOR_MS = 4000; // then the server did not show another image
const SKIP_REASONS = ["not sure", "image unfit", "not a radiograph of ours"];
const ONLY_INSPECTION = ["[data-tab=verdict]", ".dispositions", ".sign", ".revise", ".report", ".signed"];

export const offeredOwn = (data) => (data?.own_classes ?? []).filter(({ is_offered: isOffered }) => isOffered);

export class LabelPanel extends RecordPanel {
  // labelling: a Labelling. on: that of a RecordPanel, and look() (shows a suggestion that waits), leave()
  constructor(root, labels, labelling, on) {
    super(root, labels, [labels.saved], on);
    Object.assign(this, { labels, labelling });
    this.askedFor = null; // the image whose unanswered suggestions were asked about
    this.isSubmitting = false; // while the last change is on its way
    this.#build();
    onButton(this.classes, ({ digit, own }) => (own ? labelling.classifyOwn(Number(own)) : labelling.classify(Number(digit))));
    onButton(this.acceptButton, () => labelling.acceptAll());
    onButton(this.submitButton, () => this.submit());
    onButton(this.skipButton, () => this.askToSkip());
    this.#listenToSkip();
  }

  #build() {
    for (const query of ONLY_INSPECTION) this.$(query).hidden = true;
    this.root.dataset.mode = "label";
    Object.assign(this.$("thead th:last-child button"), { textContent: "label", title: "✓ label, + drawn, ✕ refused" });
    this.$("[data-tab=indications]").textContent = "Labels";
    this.why = element("div", { class: "why", hidden: true });
    this.$("[role=tabpanel][data-tab=indications]").prepend(this.why);
    this.classes = element("div", { class: "class-keys", role: "group", "aria-label": "Class of the selected box" },
      ...CLASS_DIGITS.map((name, i) => element("button", { type: "button", "data-digit": i + 1, "aria-pressed": "false", title: `${name} (${i + 1})` }, element("kbd", { text: i + 1 }), ` ${name}`)));
    const action = (name, title, text, key) => element("button", { type: "button", class: name, title }, element("span", { text }), " ", element("kbd", { text: key }));
    this.acceptButton = action("accept-all", "Accept every suggestion on show (a)", "Accept all", "a");
    this.skipButton = action("skip", "Leave this image without labelling it (s)", "Skip", "s");
    this.submitButton = action("submit", "The labels are complete: close this image and go on (Ctrl + Enter)", "Done, next", "Ctrl ↵");
    this.skipForm = element("form", { class: "skip-form", hidden: true, role: "dialog", "aria-label": "Why is it skipped?" },
      element("p", { text: "Why is it skipped?" }),
      ...SKIP_REASONS.map((text, i) => element("button", { type: "button", "data-reason": text }, element("kbd", { text: i + 1 }), ` ${text}`)),
      element("input", { maxlength: 300, placeholder: "or in your words, then Enter; Esc goes back", "aria-label": "Why is it skipped?" }));
    this.$(".decision").prepend(this.classes);
    this.$(".sign-row").before(element("div", { class: "label-actions" }, this.acceptButton, this.skipButton, this.submitButton));
    this.unanswered = element("div", { class: "unanswered", hidden: true, role: "group", "aria-label": "Suggestions without an answer" }, element("p", { role: "status" }),
      element("div", { class: "label-actions" }, element("button", { type: "button", "data-answer": "look" }, "Look at them"),
        element("button", { type: "button", class: "submit", "data-answer": "done" }, "Done all the same", " ", element("kbd", { text: "Ctrl ↵" }))));
    this.root.append(this.skipForm, this.unanswered);
    onButton(this.unanswered, ({ answer }) => (answer === "done" ? this.submit() : this.#look()));
    this.unanswered.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.#look(); } });
    Object.assign(this.$(".decision-note"), { placeholder: "note on this image", ariaLabel: "Note on this image" });
    this.$("[data-call=confirm]").title = "Accept (y)";
    this.$("[data-call=dismiss]").title = "Refuse (Delete)";
    this.$("[data-call=dismiss] kbd").textContent = "Del";

    this.$("[data-call=confirm] span").textContent = "Accept";
    this.$("[data-call=classify] span").textContent = "Kind";
    this.$("[data-call=classify]").title = "Kind: ISO 6520-1 number or name (e)";
  }

  #listenToSkip() {
    const input = this.skipForm.querySelector("input");
    const skip = (why) => {
      if (!why.trim()) return;
      this.closeSkip();
      this.#leave("skip", { inspection_id: this.data.inspection_id, why: why.trim() });
    };
    this.skipForm.addEventListener("submit", (event) => { event.preventDefault(); skip(input.value); });
    onButton(this.skipForm, ({ reason }) => skip(reason));
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

  // The labels are complete: sent as soon as the last change is stored. Suggestions that nobody answered are asked about
  // once for each image.
  submit() {
    this.takeNote();
    if (!this.data?.is_open || this.labels.saved.conflict || this.labels.isLeft) return;
    if (this.#asksAboutUnanswered()) return;
    this.unanswered.hidden = true;
    this.isSubmitting = true;
    this.#sendSubmitted();
  }

  #asksAboutUnanswered() {
    const { count, words } = this.labelling.unanswered;
    const id = this.data.inspection_id;
    if (!count || this.askedFor === id) return false;
    this.askedFor = id;
    this.unanswered.querySelector("p").textContent = `${count === 1 ? "1 suggestion is" : `${count} suggestions are`} neither accepted nor refused: ${words}. Done leaves ${count === 1 ? "it" : "them"} out of the labels.`;
    this.unanswered.hidden = false;
    this.unanswered.querySelector("button").focus();
    return true;
  }

  #look() {
    this.unanswered.hidden = true;
    this.on.leave();
    this.on.look();
  }

  #sendSubmitted() {
    const { saved } = this.labels;
    if (!this.isSubmitting || saved.state !== "saved") return;
    this.isSubmitting = false;
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

  // What was typed belongs to the image before, and is taken while that is still the one on show; keys mean the next.
  takeNotes() {
    super.takeNotes();
    this.on.leave();
  }

  update(data) {
    if (data?.inspection_id !== this.data?.inspection_id) {
      this.isSubmitting = false;
      this.labels.isLeft = false;
      this.skipForm.hidden = true;
      this.unanswered.hidden = true;
    }
    super.update(data);
    this.show();
  }

  // After every change of the labels.
  show() {
    const { data, labels } = this;
    if (!data) return;
    this.#showOwn();
    this.#showWhy();
    this.showNoteOn(labels.saved, labels.content.note);
    this.showSteps();
    this.#showAccept();
    if (!this.labelling.unanswered.count) this.unanswered.hidden = true;
    for (const button of [this.skipButton, this.submitButton]) button.disabled = !data.is_open;
    this.submitButton.firstChild.textContent = data.has_next ? "Done, next" : "Done";
    this.skipButton.hidden = !data.items.length;
    this.showSaved(data.saved_at);
    this.showConflict(({ labels: list, note }) => [...list.map((one) => labelLine(one, data.numbers)), ...(note ? [`note: ${note}`] : [])], "no label");
    this.#sendSubmitted();
  }

  // The own classes below those of the models, with their colours and keys.
  #showOwn() {
    const own = offeredOwn(this.data);
    const text = JSON.stringify(own);
    if (this.shownOwn === text) return;
    this.shownOwn = text;
    for (const button of this.classes.querySelectorAll("[data-own]")) button.remove();
    this.classes.append(...own.map(({ code, name, colour }, i) => {
      const key = OWN_KEYS[i];
      const swatch = element("i", { class: "swatch" });
      swatch.style.background = colour;
      return element("button", { type: "button", "data-own": i + 1, "data-code": code, "aria-pressed": "false", title: `${name}, own class ${code}${key ? ` (${key})` : ""}` }, ...(key ? [element("kbd", { text: key })] : []), swatch, ` ${name}`);
    }));
    this.showCalls(this.shownEntry);
  }

  // The button says what it would accept.
  #showAccept() {
    const { count, words } = this.labelling.acceptable;
    this.acceptButton.disabled = !count || !this.labels.canChange;
    this.acceptButton.firstChild.textContent = count ? `Accept all ${count}: ${words}` : "Accept all";
    this.acceptButton.title = count ? `Accept ${words} (a)` : "Accept every suggestion on show (a)";
  }

  #showWhy() {
    const { items, others } = this.data;
    this.why.hidden = !items.length && !others.length;
    this.why.replaceChildren(
      ...others.map((name) => element("p", { class: "others", role: "status", text: `${name} is at this image now` })),
      ...items.map(({ words: reason, remark }) => element("p", {}, element("strong", { text: reason }), remark ? ` ${remark}` : "")));
  }

  // The buttons below the table, for the selected box; undefined when none is.
  showCalls(entry) {
    const { canChange: mayChange } = this.labels;
    const canChange = Boolean(entry) && mayChange;
    this.shownEntry = entry;
    for (const button of this.classes.querySelectorAll("[data-own]")) {
      button.setAttribute("aria-pressed", String(Boolean(entry) && entry.own_class === button.dataset.code));
      button.disabled = !mayChange;
    }
    for (const button of this.classes.querySelectorAll("[data-digit]")) {
      button.setAttribute("aria-pressed", String(Boolean(entry) && !entry.own_class && entry.class === CLASS_DIGITS[button.dataset.digit - 1]));
      button.disabled = !mayChange;
      button.hidden = !(CLASS_DIGITS[button.dataset.digit - 1] in (this.data?.kinds ?? {}));
    }
    const isLabel = entry?.call === "confirmed";
    this.showEntry(entry, { canChange, isNoted: isLabel, dismissText: isLabel ? "Delete" : "Refuse" });
  }

  note(text) { this.labels.noteImage(text); }
}
