// Boxes off and on by one key: a short press switches, a long one hides them for as long as it is held.
const HELD_AFTER_MS = 350;

export class BoxesSwitch {
  // note: the line on the image that says so. change(isHidden): redraws.
  constructor(note, change) {
    Object.assign(this, { note, change, isHidden: false, pressedAt: null });
  }

  toggle() { this.set(!this.isHidden); }

  set(isHidden) {
    this.isHidden = isHidden;
    this.note.hidden = !isHidden;
    this.change(isHidden);
  }

  press() {
    if (this.pressedAt !== null) return; // the key repeats while it is held
    this.pressedAt = performance.now();
    this.toggle();
  }

  release() {
    if (this.pressedAt !== null && performance.now() - this.pressedAt > HELD_AFTER_MS) this.toggle();
    this.pressedAt = null;
  }
}
