// What can be done with several selected indications at once; it stands in the place of the details of one.
import { element, onButton } from "../element.js";
import { GROUP_KINDS } from "./reading.js";

export class BulkBar {
  // root: the panel. on: { call(name), group(code), left() }. isLabelling: labels are made, which are accepted or refused.
  constructor(root, on, isLabelling = false) {
    this.on = on;
    this.isLabelling = isLabelling;
    const words = isLabelling
      ? { confirm: ["Accept all of them", "Accept", "y"], dismiss: ["Delete labels, refuse suggestions", "Delete", "Del"], classify: ["One kind for all of them", "Kind", "e"] }
      : { confirm: ["Confirm all of them", "Confirm", "y"], dismiss: ["Dismiss all of them", "Dismiss", "n"], classify: ["One class and number for all of them", "Class", "e"] };
    const button = (data, title, text, key) => element("button", { type: "button", ...data, title: `${title} (${key})` }, element("span", { text }), " ", element("kbd", { text: key }));
    this.title = element("strong");
    this.about = element("span", { class: "quietly" });
    this.calls = element("div", { class: "bulk-calls" },
      ...Object.entries(words).map(([name, said]) => button({ "data-bulk": name }, ...said)), button({ "data-bulk": "group" }, "One indication of many: clustered or linear porosity", "Group", "j"));
    this.kinds = element("div", { class: "bulk-calls group-kinds", role: "group", "aria-label": "Group as", hidden: true },
      ...Object.entries(GROUP_KINDS).map(([code, name]) => element("button", { type: "button", "data-group": code, title: `${name}, ISO 6520-1 no. ${code}` }, element("kbd", { text: code }), ` ${name}`)));
    this.root = element("div", { class: "bulk", role: "group", "aria-label": "Selected indications", hidden: true }, this.title, " ", this.about, this.calls, this.kinds);
    root.querySelector(".details").after(this.root);
    onButton(this.root, ({ bulk, group }) => {
      if (group) this.#group(group);
      else if (bulk === "group") this.askForKind();
      else if (bulk) on.call(bulk);
    });
    this.kinds.addEventListener("keydown", (event) => this.#key(event));
  }

  // canGroup: many pores may become one indication by ISO 6520-1; castings have kinds and levels instead.
  show(entries, canChange, canGroup = true) {
    this.calls.querySelector("[data-bulk=group]").hidden = !canGroup || this.isLabelling;
    this.root.hidden = entries.length < 2;
    if (this.root.hidden) this.kinds.hidden = true;
    this.title.textContent = `${entries.length} selected`;
    const open = entries.filter(({ call }) => call === "open").length;
    if (this.isLabelling) this.about.textContent = open ? `${open} suggested` : "drag or Ctrl + arrows move them";
    else this.about.textContent = open ? `${open} not assessed` : "all assessed";
    this.calls.hidden = !canChange;
  }

  askForKind() {
    if (this.root.hidden || this.calls.hidden) return;
    this.kinds.hidden = false;
    this.kinds.querySelector("button").focus();
  }

  // Digits choose while the question is open, and reach nothing else.
  #key(event) {
    const codes = Object.keys(GROUP_KINDS);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === " " || event.key === "Enter") return;
    if (/^\d$/.test(event.key)) {
      const code = codes.find((one) => one.endsWith(event.key)); // so 2013 and 2014 can be typed in full
      if (code) this.#group(code);
    } else if (step) {
      const buttons = [...this.kinds.children];
      buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length].focus();
    } else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #group(code) {
    this.kinds.hidden = true;
    this.on.group(code);
  }

  #close() {
    this.kinds.hidden = true;
    this.on.left();
  }
}
