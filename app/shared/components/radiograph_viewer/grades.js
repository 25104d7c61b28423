// Severity levels of a casting: one line a kind, with the level that a person read off graded reference radiographs and
// what the rule says to it. Every confirmed indication of a kind carries the level of its kind.
import { element } from "../element.js";
import { kindOf, kindWords } from "./kinds.js";

const WORST_FIRST = ["not acceptable", "not evaluable", "acceptable"];

// Confirmed indications by kind, in the order in which they are listed; members of a group count with it.
export function gradedKinds(entries) {
  const graded = entries.filter((entry) => entry.call === "confirmed" && !entry.group && kindOf(entry));
  return Map.groupBy(graded, kindOf);
}

// The level that all of them have, null where they differ or one has none.
function commonGrade(entries) {
  const [grade, ...others] = new Set(entries.map((entry) => entry.grade ?? null));
  return others.length ? null : grade;
}

// The worst verdict of some indications with the reasons for it; null where none is judged.
function worstOf(entries, judged) {
  const verdicts = entries.map(({ id }) => judged[id]).filter(Boolean);
  return verdicts.toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict))[0] ?? null;
}

export class Grades {
  // page: the verdict. on: { grade(numbers, level|null) }
  constructor(page, on) {
    page.addEventListener("change", ({ target }) => {
      if (target.matches("select.level")) on.grade(target.dataset.numbers.split(",").map(Number), Number(target.value) || null);
    });
  }

  // grading: { references, highest }; judged: verdicts by id; marks: by verdict.
  lines(kinds, { grading, judged, numbers, canChange, marks }) {
    const about = kinds.size ? `Severity levels by ${grading.references}: 1 is the least severe, ${grading.highest} the most.`
      : `Confirm what is there and say its kind (e); then give each kind its severity level by ${grading.references}.`;
    return [element("p", { class: "quietly", text: about }),
      ...[...kinds.values()].map((entries) => this.#line(entries, { grading, worst: worstOf(entries, judged), numbers, canChange, marks }))];
  }

  #line(entries, { grading, worst, numbers, canChange, marks }) {
    const words = kindWords(entries[0], numbers);
    const listed = entries.map(({ n }) => n);
    const head = element("p", { class: "judged-head" }, element("strong", { text: words }),
      ...(worst ? [element("span", { "data-verdict": worst.verdict, text: `${marks[worst.verdict]} ${worst.verdict}` })] : []));
    const count = listed.length === 1 ? `no. ${listed[0]}` : `${listed.length} indications: ${listed.join(", ")}`;
    return element("div", { class: "judged graded", "data-kind": kindOf(entries[0]), "data-n": listed[0] }, head,
      element("p", { class: "quietly", text: count }), this.#choice(words, entries, { grading, canChange }),
      ...(worst?.reasons.length ? [element("p", { text: worst.reasons.join("; ") })] : []));
  }

  #choice(words, entries, { grading, canChange }) {
    const grade = commonGrade(entries);
    const someHave = grade === null && entries.some((entry) => entry.grade);
    const option = (value, text) => element("option", { value, text, selected: value === (grade ?? "") });
    const highest = Math.max(grading.highest, grade ?? 0); // a level of another scale is shown, not hidden
    return element("label", { class: "level-row" }, "severity level ",
      element("select", { class: "level", "aria-label": `Severity level of ${words}`, "data-numbers": entries.map(({ n }) => n).join(","), disabled: !canChange },
        option("", someHave ? "not all graded" : "not graded"), ...Array.from({ length: highest }, (_, i) => option(i + 1, String(i + 1)))));
  }
}
