// Annotations of an image, a reading or labels: every change is saved and can be taken back.
import { Saved } from "./saved.js";

const MOST_UNDO = 200;

// A subclass has `content`, `find(n)` (the annotation of a number, null without one) and `change(n, change)`.
export class Annotations {
  // name, write: see Saved. on: { send(event), changed() }
  constructor(name, write, on) {
    this.saved = new Saved(name, write, { send: on.send, changed: () => { if (!this.isStepping) on.changed(); } });
    this.on = on;
    this.detections = []; // boxes of the model, or what else is suggested
    this.forgetSteps();
  }

  // The steps changed: a subclass may keep them.
  stepped() {}

  forgetSteps() { Object.assign(this, { past: [], future: [] }); }

  get isThere() { return this.saved.content !== null; }
  get canChange() { return this.isThere && this.saved.isOpen && !this.saved.conflict; }

  // data: as Python told it, null when there is nothing to annotate; content: that of `data`.
  receive(data, content) {
    this.saved.update(data && {
      id: data.inspection_id, owner: data.owner, version: data.version, content,
      isOpen: data.is_open, author: data.author, savedAt: data.saved_at,
    }, data?.refused);
  }

  // Takes the next content; false when nothing can be changed now.
  set(content) {
    const before = this.content;
    if (!this.canChange || !this.#store(content)) return false;
    this.past = [...this.past.slice(-MOST_UNDO), before];
    this.future = [];
    this.stepped();
    this.on.changed();
    return true;
  }

  // One change is told once, after the steps know of it too.
  #store(content) {
    this.isStepping = true;
    const isTaken = this.saved.set(content);
    this.isStepping = false;
    return isTaken;
  }

  note(n, text) { return (this.find(n)?.note ?? "") === text ? false : this.change(n, { note: text }); }

  undo() { this.#step(this.past, this.future); }
  redo() { this.#step(this.future, this.past); }

  #step(from, to) {
    if (!from.length || !this.canChange) return;
    const before = this.content;
    if (!this.#store(from[from.length - 1])) return;
    from.pop();
    to.push(before);
    this.stepped();
    this.on.changed();
  }
}
