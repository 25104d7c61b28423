// "Without it": the probability of the selected indication once its region shows its own background. Asked for, not fetched ahead.
import { element } from "../element.js";

export class WithoutLine {
  constructor(root) {
    this.line = root.querySelector(".without-line");
    this.button = this.line.querySelector(".without");
    this.words = root.querySelector(".without-words");
    this.button.addEventListener("click", () => this.ask());
    this.reset(null);
  }

  // address: of the answers of this image; null while there are none.
  reset(address) {
    this.address = address;
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
    this.words.replaceChildren(...(answer ? [element("span", { text: answer.words })] : []));
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
      const response = await fetch(`${this.address}&box=${n}`, { credentials: "same-origin" });
      if (!response.ok) throw new Error((await response.text()).slice(0, 200));
      answers.set(n, await response.json());
    } catch (error) {
      answers.set(n, { words: `not read again: ${error.message}` });
    }
    if (answers === this.answers) this.show(this.n);
  }
}
