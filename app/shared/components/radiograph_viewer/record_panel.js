// The panel of a record, a reading or labels: buttons for the selected box, notes, undo, the state of saving, and both
// versions side by side when somebody else was faster.
import { element, onButton } from "../element.js";

const NOTE_AFTER_MS = 700;
const SAVED_TEXT = { conflict: "not saved: changed elsewhere", saving: "saving", late: "not saved yet: no answer; kept in this browser" };

const clockTime = (iso) => (iso ? new Date(iso).toLocaleTimeString("en-GB") : "");

// A subclass has `note(text)`, which takes the note on the image, and `show()`.
export class RecordPanel {
  // root: the panel; record: a Reading or Labels; saves: every Saved of the panel.
  // on: { call(name), note(n, text), send(name, event) } and more that the subclass names
  constructor(root, record, saves, on) {
    Object.assign(this, { root, record, saves, on, data: null });
    this.$ = (query) => root.querySelector(query);
    onButton(this.$(".calls"), ({ call }) => on.call(call));
    onButton(this.$(".undo"), () => record.undo());
    onButton(this.$(".redo"), () => record.redo());
    onButton(this.$(".saved-line"), () => { for (const saved of saves) saved.retry(); });
    onButton(this.$(".conflict"), ({ take }) => this.#conflicting?.[take === "mine" ? "saveMine" : "takeStored"]());
    this.$(".indication-note").addEventListener("change", () => this.#takeIndicationNote());
    this.$(".decision-note").addEventListener("change", () => this.takeNote());
    this.$(".decision-note").addEventListener("input", () => {
      clearTimeout(this.noting);
      this.noting = setTimeout(() => this.takeNote(), NOTE_AFTER_MS);
    });
  }

  get #conflicting() { return this.saves.find(({ conflict }) => conflict) ?? null; }

  update(data) {
    this.data = data;
    this.root.dataset.reading = data ? (data.is_open ? "open" : "closed") : "none";
    this.$(".decision").hidden = !data;
  }

  // --- notes --------------------------------------------------------------------------------
  // Takes notes that are still being typed, before another image comes on show.
  takeNotes() {
    this.takeNote();
    const field = this.$(".indication-note");
    if (!field.hidden && field.dataset.n) this.#takeIndicationNote();
  }

  takeNote() {
    clearTimeout(this.noting);
    this.note(this.$(".decision-note").value.trim());
  }

  #takeIndicationNote() {
    const field = this.$(".indication-note");
    this.on.note(Number(field.dataset.n), field.value.trim());
  }

  // --- the selected box ---------------------------------------------------------------------
  // entry: undefined when no box is selected; isNoted: whether a note on it is on show.
  showEntry(entry, { canChange, isNoted, dismissText }) {
    this.$(".calls").hidden = !canChange;
    const field = this.$(".indication-note");
    field.hidden = !isNoted;
    field.readOnly = !canChange;
    if (!entry) return;
    this.$("[data-call=confirm]").setAttribute("aria-pressed", String(entry.call === "confirmed"));
    this.$("[data-call=dismiss]").setAttribute("aria-pressed", String(entry.call === "dismissed"));
    this.$("[data-call=dismiss] span").textContent = dismissText;
    showNote(field, `${this.record.saved.id} ${entry.n}`, entry.note);
    field.dataset.n = entry.n;
  }

  // --- the image ----------------------------------------------------------------------------
  showNoteOn(saved, text) {
    const field = this.$(".decision-note");
    field.readOnly = !this.data.is_open;
    showNote(field, saved.id, text);
  }

  showSteps() {
    const { past, future, canChange } = this.record;
    this.$(".undo").disabled = !past.length || !canChange;
    this.$(".redo").disabled = !future.length || !canChange;
  }

  // Says how far saving is; returns whether all is saved.
  showSaved(...savedAt) {
    const bad = ["conflict", "refused", "late", "saving"].map((state) => this.saves.find((saved) => saved.state === state)).find(Boolean);
    const line = this.$(".saved-line");
    line.dataset.state = bad?.state ?? "saved";
    const last = savedAt.filter(Boolean).toSorted().at(-1);
    if (bad?.state === "refused") line.replaceChildren(`not saved: ${bad.refusal} `, element("button", { type: "button", class: "quiet retry", text: "try again" }));
    else line.textContent = bad ? SAVED_TEXT[bad.state] : last ? `saved ${clockTime(last)}` : "nothing to save yet";
    return !bad;
  }

  // Both versions side by side, differing lines set off; linesOf(content, saved): a content as lines of text.
  showConflict(linesOf, nothing) {
    const box = this.$(".conflict");
    const saved = this.#conflicting;
    const isNew = saved && box.hidden;
    box.hidden = !saved;
    if (!saved) return;
    const { mine, stored, author, savedAt } = saved.conflict;
    const [mineLines, storedLines] = [linesOf(mine, saved), linesOf(stored, saved)];
    const version = (title, lines, others, take, text) => element("section", {}, element("h4", { text: title }),
      element("ul", {}, ...(lines.length ? lines : [nothing]).map((line) => element("li", { class: others.includes(line) ? null : "differs", text: line }))),
      element("button", { type: "button", "data-take": take, text }));
    box.replaceChildren(
      element("h3", { text: "This was changed elsewhere. Nothing of yours was saved over it." }),
      element("div", { class: "versions" }, version("Yours, not saved", mineLines, storedLines, "mine", "Save mine on top"),
        version(`Stored, by ${author || "somebody"}, ${clockTime(savedAt)}`, storedLines, mineLines, "stored", "Take the stored one")));
    if (isNew) box.querySelector("button").focus();
  }
}

// Shows the note on the thing that `key` names. While somebody types, only another thing replaces the text: it belongs to
// the thing that was on show while it was typed.
function showNote(field, key, text) {
  const isTyping = field.getRootNode().activeElement === field;
  if (!isTyping || field.dataset.of !== String(key)) field.value = text ?? "";
  field.dataset.of = key;
}
