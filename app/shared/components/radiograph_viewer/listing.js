// The order and the choice of the rows of the list. Numbers stay with their indications, whatever the order.
import { claimOf, kindOf, kindWords, shownWords } from "./kinds.js";

const RULE_RANKS = { "not acceptable": 0, "not evaluable": 1, acceptable: 2 };
const STATE_RANKS = { open: 0, candidate: 1, confirmed: 2, dismissed: 3 };
const LEAST_SEVERE = 99;
const GROUPS = ["linear", "edge", "unclassified", "rounded", "dense"]; // that a model claims, planar first

// The class, or the kind where it has no number: the words that the list sorts and filters by.
const calledOf = ({ class: name, kind }) => (kind ? kindWords({ kind }) : name);
const groupOf = (entry) => claimOf(entry)?.group;
const longerSide = ({ box: [x0, y0, x1, y1], size }) => size?.length ?? Math.max(x1 - x0, y1 - y0);

// What a rule rejects first, then by kind, then by size; what was dismissed last.
// context: { verdicts: verdict of the rule by id, ranks: { classes, codes } of the kinds, the lower the more severe }.
function severityKey(entry, { verdicts = {}, ranks = {} }) {
  const rule = entry.call === "dismissed" ? LEAST_SEVERE : (RULE_RANKS[verdicts[entry.id]] ?? 3);
  const kind = claimOf(entry)?.rank ?? ranks.codes?.[kindOf(entry)] ?? ranks.classes?.[entry.class] ?? LEAST_SEVERE;
  return [rule, kind, -longerSide(entry), entry.n];
}

// The keys by which a column sorts, and whether its first click sorts from the highest on.
const COLUMNS = {
  number: { key: ({ n }) => [n] },
  class: { key: (entry) => [claimOf(entry) ? shownWords(entry) : calledOf(entry), kindOf(entry) ?? ""] },
  probability: { key: ({ probability }) => [probability ?? -1], isFalling: true },
  size: { key: (entry) => [longerSide(entry)], isFalling: true },
  severity: { key: severityKey },
  state: { key: ({ call }) => [STATE_RANKS[call] ?? 1] },
};

// Filters of the list; one without choices for the entries there are is not offered.
export const LIST_FILTERS = [
  { name: "class", all: "all classes", choices: (entries) => [...new Set(entries.map(calledOf))].toSorted().map((name) => [name, name]), holds: (entry, value) => calledOf(entry) === value },
  { name: "group", all: "all groups", choices: (entries) => GROUPS.filter((group) => entries.some((entry) => groupOf(entry) === group)).map((group) => [group, `${group}, claimed`]), holds: (entry, value) => groupOf(entry) === value },
  { name: "state", all: "all states", choices: () => [["open", "not assessed"], ["confirmed", "confirmed"], ["dismissed", "dismissed"], ["grouped", "in a group"]],
    holds: (entry, value) => (value === "grouped" ? Boolean(entry.group) : entry.call === value && !entry.group) },
  { name: "zone", all: "anywhere", choices: (entries) => (entries.some(({ zone }) => zone) ? [["inside", `in the ${entries[0].zoneWord}`], ["outside", `outside the ${entries[0].zoneWord}`]] : []), holds: (entry, value) => entry.zone === value },
];

function compareKeys(a, b) {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value < b[i] ? -1 : 1;
  return 0;
}

export class Listing {
  // by: the column that sorts to begin with.
  constructor(by) {
    this.sort = { by, isFalling: Boolean(COLUMNS[by].isFalling) };
    this.filters = {};
    Object.assign(this, { entries: [], context: {}, held: [] });
  }

  get isFiltered() { return Object.keys(this.filters).length > 0; }

  // Rows stay where they are while somebody works; new ones come in at their place.
  fill(entries, context) {
    Object.assign(this, { entries, context });
    const known = new Set(entries.map(({ n }) => n));
    this.held = this.held.filter((n) => known.has(n));
    const placed = new Set(this.held);
    if (!placed.size) return this.resort();
    const byNumber = new Map(entries.map((entry) => [entry.n, entry]));
    for (const entry of entries.filter(({ n }) => !placed.has(n))) {
      const at = this.held.findIndex((n) => this.#compare(entry, byNumber.get(n)) < 0);
      this.held.splice(at < 0 ? this.held.length : at, 0, entry.n);
    }
  }

  resort() { this.held = this.entries.toSorted((a, b) => this.#compare(a, b)).map(({ n }) => n); }

  sortBy(name) {
    const isSame = this.sort.by === name;
    this.sort = { by: name, isFalling: isSame ? !this.sort.isFalling : Boolean(COLUMNS[name].isFalling) };
    this.resort();
  }

  // value: "" lets everything through.
  filterBy(name, value) {
    this.filters = Object.fromEntries(Object.entries({ ...this.filters, [name]: value }).filter(([, kept]) => kept));
  }

  forget() { Object.assign(this, { filters: {}, held: [] }); }

  // The entries in their order, and whether each one passes the filters; members of a group stand under "in a group".
  ordered() {
    const byNumber = new Map(this.entries.map((entry) => [entry.n, entry]));
    return this.held.map((n) => byNumber.get(n)).filter(Boolean);
  }

  passes(entry) {
    if (entry.group && this.filters.state !== "grouped") return false;
    return LIST_FILTERS.every(({ name, holds }) => !(name in this.filters) || holds(entry, this.filters[name]));
  }

  #compare(a, b) {
    const { by, isFalling } = this.sort;
    const { key } = COLUMNS[by];
    const order = compareKeys(key(a, this.context), key(b, this.context)) * (isFalling ? -1 : 1);
    return order || compareKeys(severityKey(a, this.context), severityKey(b, this.context));
  }
}
