// The indications that are selected together: one at a time, a range, all of a list.
export class Picks {
  constructor() { this.one(null); }

  get size() { return this.numbers.size; }
  get list() { return [...this.numbers]; }
  has(n) { return this.numbers.has(n); }

  one(n) { Object.assign(this, { numbers: new Set(n === null ? [] : [n]), anchor: n }); }

  toggle(n) {
    this.numbers[this.numbers.has(n) ? "delete" : "add"](n);
    this.anchor = n;
  }

  // From the one that was picked last to n, both with what lies between them in `listed`.
  rangeTo(n, listed) {
    const [from, to] = [listed.indexOf(this.anchor), listed.indexOf(n)];
    if (from < 0 || to < 0) return this.one(n);
    this.numbers = new Set(listed.slice(Math.min(from, to), Math.max(from, to) + 1));
  }

  all(numbers) {
    this.numbers = new Set(numbers);
    this.anchor = numbers[0] ?? null;
  }

  // Leaves out what is not there any more.
  keep(isThere) { this.numbers = new Set(this.list.filter((n) => isThere(n))); }
}
