// Keeps the measures of a reading saved with it, and brings them back.
const SAVE_AFTER_MS = 400;

export class KeptMeasures {
  // send(event): holds inspection_id and content.
  constructor(measures, send) {
    Object.assign(this, { measures, send, id: null, isOpen: false, text: "[]", pending: null });
  }

  // Another reading comes on show, null for none: what was drawn for the one before is sent.
  before(reading) {
    if (reading?.inspection_id === this.id) return;
    this.flush();
    this.id = null;
  }

  // Those of the server; where it has none yet, those that were drawn before the reading was there are kept.
  update(reading) {
    this.isOpen = Boolean(reading?.is_open);
    if (!reading?.measures || reading.inspection_id === this.id) return;
    this.id = reading.inspection_id;
    const isStored = reading.measures.length > 0 || !this.isOpen;
    if (isStored) {
      this.text = JSON.stringify(reading.measures);
      this.measures.replace({
        list: reading.measures.map(({ id, kind, a, b, bandPx }) => ({ id, kind, a, b, bandPx })),
        background: reading.measures.find((one) => one.is_background)?.id ?? null,
      });
    } else this.text = "[]";
    this.changed();
  }

  get #content() {
    const { list, background } = this.measures;
    return list.map(({ id, kind, a, b, bandPx }) => ({ id, kind, a, b, bandPx, is_background: id === background }));
  }

  // After every change, of the selection too.
  changed() {
    if (this.id === null || !this.isOpen) return;
    const content = this.#content;
    const text = JSON.stringify(content);
    if (text === this.text) return;
    this.text = text;
    this.pending = { inspection_id: this.id, content };
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.flush(), SAVE_AFTER_MS);
  }

  flush() {
    clearTimeout(this.saving);
    if (this.pending) this.send(this.pending);
    this.pending = null;
  }
}
