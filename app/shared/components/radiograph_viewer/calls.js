// What is said of the selected indications, one or several: confirmed, dismissed, grouped; and which one comes next.
const ASSESSED = new Set(["confirmed", "dismissed"]);

export class Calls {
  constructor(viewer) { this.viewer = viewer; }

  get reading() { return this.viewer.reading; }
  get picks() { return this.viewer.panel.picks; }

  // On all that is selected, as one step.
  call(name) {
    const { selected } = this.viewer;
    if (!this.viewer.canChange) return;
    const { numbers, told } = this.#meant();
    const entry = this.viewer.entry(selected);
    if (name === "classify") return this.viewer.pickKind();
    if (numbers.length === 1 && entry?.call === { confirm: "confirmed", dismiss: "dismissed" }[name] && !this.viewer.isLabelling) this.reading.reopen(selected);
    else if (name === "confirm") this.reading.confirm(numbers);
    else this.reading.dismiss(numbers);
    if (this.viewer.isLabelling) return this.viewer.labelling.nextWaiting(selected);
    this.viewer.say();
    if (told) this.viewer.tell(told);
  }

  // Of several only those that nobody assessed, so that what was judged before stays; all of them where none is open.
  #meant() {
    const numbers = this.picks.list;
    const open = numbers.filter((n) => !ASSESSED.has(this.viewer.entry(n)?.call));
    if (this.viewer.isLabelling || !open.length || open.length === numbers.length) return { numbers, told: "" };
    return { numbers: open, told: `assessed before, left as they are: ${numbers.length - open.length}` };
  }

  // Then the next indication of the list that nobody assessed; without a selection the first one is shown.
  callAndGoOn(name) {
    if (this.viewer.isLabelling) return this.call(name);
    if (!this.reading.canChange) return;
    const { numbers, told } = this.#meant();
    const next = this.#nextOpen(new Set(this.picks.list));
    if (numbers.length && name === "confirm") this.reading.confirm(numbers);
    else if (numbers.length) this.reading.dismiss(numbers);
    if (next === null) {
      if (numbers.length > 1) this.viewer.select(this.viewer.entry(this.viewer.selected) ? this.viewer.selected : null, true);
      this.viewer.tell(["every indication on show is assessed", told].filter(Boolean).join("; "));
      return;
    }
    this.viewer.selection.goTo(next);
    if (told) this.viewer.tell(told);
  }

  // What was dismissed gets its next kind, wherever the selection went since.
  nextDismissal() {
    if (this.viewer.isLabelling || !this.reading.canChange) return;
    const told = this.reading.nextDismissal(this.picks.list);
    if (told) this.viewer.tell(told);
  }

  // The next one in the order of the list after the selected one that is not assessed, without `others`; null when none is.
  #nextOpen(others) {
    const listed = this.viewer.panel.listed();
    const from = listed.indexOf(this.viewer.selected);
    const byNumber = new Map(this.viewer.data.detections.map((entry) => [entry.n, entry]));
    return [...listed.slice(from + 1), ...listed.slice(0, from + 1)].find((n) => byNumber.get(n).call === "open" && !others.has(n)) ?? null;
  }

  // --- several at once ------------------------------------------------------------------------
  pickAll() {
    const listed = this.viewer.panel.listed();
    this.viewer.pick(listed, this.viewer.selected ?? listed[0]);
  }

  // One more of the list, beside the selected one.
  extend(by) {
    const listed = this.viewer.panel.listed();
    const next = listed[listed.indexOf(this.viewer.selected) + by];
    if (next === undefined) return;
    const numbers = new Set([...this.picks.list, next]);
    this.viewer.pick([...numbers], next);
  }

  // A group stands alone again; several become a group once its kind was chosen.
  askToGroup() {
    if (!this.viewer.canChange || this.viewer.isLabelling) return;
    if (!this.viewer.canGroup) return this.viewer.tell("castings are graded by kind, not grouped");
    if (this.picks.size > 1) this.viewer.bulk.askForKind();
    else if (this.reading.isGroup(this.viewer.selected)) this.reading.ungroup(this.viewer.selected);
    else this.viewer.tell("select several indications to group them");
  }

  group(code) {
    const { list } = this.picks;
    const left = list.length - this.reading.poresOf(list).length;
    const n = this.reading.group(list, code);
    if (n !== null) this.viewer.select(n, true);
    if (n === null) this.viewer.tell("a group takes two pores or more");
    else if (left) this.viewer.tell(`left out of the group: ${left} dismissed or of another kind`);
    this.viewer.stage.canvas.focus();
  }
}
