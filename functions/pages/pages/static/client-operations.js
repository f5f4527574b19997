// The list of operations, and finding one of them.

import { byId, element } from "./view.js";

/** `onChoose(operation)` is called with what somebody opens from the list. */
export class OperationList {
  #all;
  #onChoose;
  #chosen;

  constructor(all, onChoose) {
    this.#all = all;
    this.#onChoose = onChoose;
    byId("filter").addEventListener("input", () => this.#show());
    byId("filter").addEventListener("keydown", (event) => {
      const best = this.#best();
      if (event.key === "Enter" && best) this.#onChoose(best);
    });
    this.#show();
  }

  /** Marks the operation that is open. */
  mark(operation) {
    this.#chosen = operation;
    this.#show();
  }

  #matches() {
    const words = byId("filter").value.toLowerCase().split(/\s+/);
    return this.#all.filter((each) => {
      const line = `${each.method} ${each.path} ${each.summary}`.toLowerCase();
      return words.every((word) => line.includes(word));
    });
  }

  /** What Enter opens: the operation that was typed out, or the first of those that match. */
  #best() {
    const typed = byId("filter").value.trim().toLowerCase();
    const matches = this.#matches();
    return matches.find((each) => `${each.method} ${each.path}`.toLowerCase() === typed) ?? matches[0];
  }

  #show() {
    const matches = this.#matches();
    const groups = new Map();
    for (const each of matches) groups.set(each.tag, [...(groups.get(each.tag) ?? []), each]);
    const lists = [...groups].map(([tag, operations]) => [
      element("h3", {}, tag),
      element("ul", {}, ...operations.map((each) => element("li", {}, this.#button(each)))),
    ]);
    byId("operations").replaceChildren(...lists.flat());
    const best = this.#best();
    const searching = byId("filter").value.trim() !== "";
    if (!best) byId("match").textContent = "Nothing matches.";
    else byId("match").textContent = searching ? `Enter opens ${best.method} ${best.path}.` : "";
  }

  #button(operation) {
    const method = element("span", { className: `method ${operation.method.toLowerCase()}` }, operation.method);
    const choose = () => this.#onChoose(operation);
    const button = element("button", { type: "button", title: operation.summary, onclick: choose }, method, ` ${operation.path}`);
    if (operation === this.#chosen) button.setAttribute("aria-current", "true");
    return button;
  }
}
