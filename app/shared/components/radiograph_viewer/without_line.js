// "Without it": the probability of the selected indication once its region shows its own background, and how people called what looks like
// it. Asked for, not fetched ahead.
import { element } from "../element.js";

export class WithoutLine {
  constructor(root) {
    this.line = root.querySelector(".without-line");
    this.button = this.line.querySelector(".without");
    this.words = root.querySelector(".without-words");
    this.button.addEventListener("click", () => this.ask());
    this.reset(null, null);
  }

  // address, similar: of the answers of this image; null while there are none.
  reset(address, similar) {
    this.address = address;
    this.similar = similar;
    this.answers = new Map();
    this.show(null);
  }

  // n: the selected indication, null for none that the model reported.
  show(n) {
    this.n = n;
    this.line.hidden = n === null || !this.address;
    const answer = this.answers.get(n);
    this.button.hidden = Boolean(answer);
    this.line.dataset.verdict = answer?.verdict ?? "";
    this.line.title = answer?.figures ? [answer.figures, this.trust].filter(Boolean).join("; ") : "";
    const said = [answer?.words, answer?.similar].filter(Boolean);
    this.words.replaceChildren(...said.map((text) => element("span", { text })));
  }

  ask() {
    const { n, answers } = this;
    if (n === null || !this.address || answers.has(n)) return;
    this.#fetch(n, answers);
    this.show(n);
  }

  async #fetch(n, answers) {
    answers.set(n, { words: "reading again" });
    try {
      answers.set(n, await answered(`${this.address}&box=${n}`));
      if (answers === this.answers) this.show(this.n);
      const alike = this.similar ? await answered(`${this.similar}&box=${n}`) : null;
      if (alike?.n) answers.set(n, { ...answers.get(n), similar: alike.words });
    } catch (error) {
      if (!answers.get(n).verdict) answers.set(n, { words: `not read again: ${error.message}` });
    }
    if (answers === this.answers) this.show(this.n);
  }
}

async function answered(address) {
  const response = await fetch(address, { credentials: "same-origin" });
  if (!response.ok) throw new Error((await response.text()).slice(0, 200));
  return response.json();
}
