// Keeps a reading, labels or a decision saved: sends changes, waits until the server shows them, and notices when
// somebody else was faster. Unsaved changes lie in this browser tab, so that a crash on either side loses nothing.
import { forget, recall, remember } from "./memory.js";

const RESEND_AFTER_MS = 6000;

export class Saved {
  // write(content): a text that is equal for equal contents. on: { send(event), changed() }
  constructor(name, write, on) {
    Object.assign(this, { name, write, on });
    this.edit = 0;
    this.#forgetAll();
  }

  #forgetAll() {
    clearTimeout(this.timer);
    Object.assign(this, { id: null, owner: null, content: null, base: 0, baseText: "", stored: null, inFlight: null, sent: [], conflict: null, refusal: "", isLate: false, isOpen: false });
  }

  get isSaved() { return this.content === null || this.write(this.content) === this.baseText; }

  // "saved", "saving", "late", "refused" or "conflict"
  get state() {
    if (this.conflict) return "conflict";
    if (this.refusal) return "refused";
    if (this.isSaved && !this.inFlight) return "saved";
    return this.isLate ? "late" : "saving";
  }

  // stored: the content that the server holds, { id, owner, version, content, isOpen, author, savedAt }; refused: the edit that it refused, and why.
  update(stored, refused) {
    if (!stored) return this.#forgetAll();
    const isOther = stored.id !== this.id || stored.owner !== this.owner || stored.version < this.base;
    if (isOther) {
      this.#sendLast();
      this.#forgetAll();
    }
    this.stored = stored;
    this.isOpen = stored.isOpen;
    if (isOther) this.#begin();
    else if (stored.version > this.base) this.#renewed();
    else if (this.inFlight && refused?.edit === this.inFlight.edit) this.#refused(refused.message);
    else if (!stored.isOpen && !this.isSaved) this.#renewed();
    this.on.changed();
  }

  #begin() {
    this.id = this.stored.id;
    this.owner = this.stored.owner;
    const kept = recall(this.#place);
    this.#adopt();
    if (!kept || !this.isOpen) return;
    Object.assign(this, { content: kept.content, base: kept.base, baseText: kept.baseText });
    this.#keep(); // another reload finds it, too
    if (this.base !== this.stored.version) this.#renewed();
    else this.#send();
  }

  #adopt() {
    const { version, content } = this.stored;
    clearTimeout(this.timer);
    Object.assign(this, { content, base: version, baseText: this.write(content), inFlight: null, sent: [], conflict: null, isLate: false });
    this.#forget();
  }

  #renewed() {
    const [there, mine] = [this.write(this.stored.content), this.write(this.content)];
    const isMine = this.sent.includes(there) || there === mine; // also what was sent once more since
    if (!this.isOpen && there !== mine) {
      if (mine !== this.baseText) this.refusal = "it was signed meanwhile; your last change is not in it";
      this.#adopt();
    } else if (isMine || there === this.baseText) {
      clearTimeout(this.timer);
      Object.assign(this, { base: this.stored.version, baseText: there, inFlight: null, sent: [], isLate: false });
      if (there === mine) { this.conflict = null; this.#forget(); } else this.#send();
    } else if (mine === this.baseText) this.#adopt();
    else this.#conflicting();
  }

  #conflicting() {
    clearTimeout(this.timer);
    this.inFlight = null;
    this.conflict = { mine: this.content, stored: this.stored.content, author: this.stored.author, savedAt: this.stored.savedAt };
  }

  #refused(message) {
    clearTimeout(this.timer);
    this.inFlight = null;
    this.refusal = message;
  }

  // Takes a change; false when nothing can be changed now.
  set(content) {
    if (!this.isOpen || this.conflict) return false;
    this.content = content;
    this.refusal = "";
    if (this.isSaved && !this.inFlight) this.#forget();
    else this.#keep();
    this.#send();
    this.on.changed();
    return true;
  }

  #send() {
    if (!this.isOpen || this.inFlight || this.conflict || this.isSaved) return;
    this.edit += 1;
    this.inFlight = { text: this.write(this.content), edit: `${this.name}-${this.edit}` };
    this.sent.push(this.inFlight.text);
    this.on.send({ inspection_id: this.id, base: this.base, edit: this.inFlight.edit, content: this.content });
    this.timer = setTimeout(() => {
      this.inFlight = null;
      this.isLate = true;
      this.#send();
      this.on.changed();
    }, RESEND_AFTER_MS);
  }

  // Another image comes on show while a change waits for the one before it.
  #sendLast() {
    if (!this.inFlight || this.conflict || this.write(this.content) === this.inFlight.text) return;
    this.edit += 1;
    this.on.send({ inspection_id: this.id, base: this.base + 1, edit: `${this.name}-${this.edit}`, content: this.content });
  }

  // Sends once more after a refusal.
  retry() {
    this.refusal = "";
    this.#send();
    this.on.changed();
  }

  takeStored() { this.#adopt(); this.on.changed(); }

  // Saves on top of the stored version, on purpose.
  saveMine() {
    Object.assign(this, { conflict: null, base: this.stored.version, baseText: this.write(this.stored.content) });
    this.#keep();
    this.#send();
    this.on.changed();
  }

  // --- this browser tab ---------------------------------------------------------------------
  get #place() { return `unsaved.${this.name}.${this.owner}.${this.id}`; }

  #keep() {
    const { content, base, baseText } = this;
    remember(this.#place, { content, base, baseText });
  }

  #forget() { forget(this.#place); }
}
