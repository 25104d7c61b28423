// How far the map on show is to be believed: asked for by a click, then kept.
export class BeliefButton {
  constructor(button) {
    this.button = button;
    this.asked = "believe it?";
    this.title = button.title;
    button.addEventListener("click", () => this.#ask());
    this.answers = new Map();
    this.show(null);
  }

  forget() { this.answers = new Map(); }

  // address: of the answer for the map on show, null without one.
  show(address) {
    this.address = address;
    this.button.hidden = address === null;
    const answer = this.answers.get(address);
    this.button.textContent = answer?.belief ?? this.asked;
    this.button.title = answer?.words ?? this.title;
    this.button.dataset.belief = answer?.belief ?? "";
  }

  async #ask() {
    const { address, answers } = this;
    if (answers.has(address)) return;
    answers.set(address, { belief: "testing", words: "pixels are taken away and put back in the order of the map" });
    this.show(address);
    try {
      const response = await fetch(address, { credentials: "same-origin" });
      if (!response.ok) throw new Error((await response.text()).slice(0, 200));
      answers.set(address, await response.json());
    } catch (error) {
      answers.set(address, { belief: "not tested", words: error.message });
    }
    if (answers === this.answers) this.show(this.address);
  }
}
