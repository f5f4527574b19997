// The editor of a request's body, and the list of its fields, each of which can be put in.

import { inline } from "./markdown.js";
import { byId, element } from "./view.js";

export class Body {
  #api;
  #ids;
  #operation;

  constructor(api, ids) {
    this.#api = api;
    this.#ids = ids;
    byId("body").addEventListener("input", () => this.check());
    byId("format-body").addEventListener("click", () => this.#change((body) => body));
    byId("reset-body").addEventListener("click", () => this.#write(this.#api.skeleton(this.#operation, this.#ids)));
  }

  /** Shows the body of an operation: `text`, or a skeleton to start from. */
  show(operation, text) {
    this.#operation = operation;
    byId("body-field").hidden = byId("fields-panel").hidden = !operation.body;
    if (!operation.body) return;
    if (text === undefined) this.#write(this.#api.skeleton(operation, this.#ids));
    else byId("body").value = text;
    byId("fields").replaceChildren(...this.#api.fields(operation).map((each) => this.#field(each)));
    this.check();
  }

  /** The text to send, or null where the operation has no body. */
  get text() {
    return this.#operation.body ? byId("body").value : null;
  }

  /** Says at the editor what keeps the text from being JSON. Whether it can be sent. */
  check() {
    const fault = this.#operation.body ? faultOf(byId("body").value) : "";
    byId("body-fault").textContent = fault && `This is not JSON, and cannot be sent: ${fault}`;
    byId("body").setAttribute("aria-invalid", String(fault !== ""));
    return fault === "";
  }

  #write(value) {
    byId("body").value = JSON.stringify(value, null, 2);
    this.check();
  }

  /** Changes the body; one that is no JSON is left as it is, for whoever typed it to mend. */
  #change(change) {
    if (!this.check()) {
      byId("body").focus();
      return;
    }
    const text = byId("body").value.trim();
    this.#write(change(text === "" ? {} : JSON.parse(text)));
  }

  #field({ name, type, required, meaning, choices, sample }) {
    const facts = `${type}${required ? ", required" : ""}`;
    return element(
      "li",
      {},
      element("div", { className: "line" }, element("span", {}, element("code", {}, name), " ", element("small", {}, facts)), this.#setter(name, choices, sample)),
      meaning ? element("p", { className: "hint" }, ...inline(meaning)) : null,
    );
  }

  /** From ids in responses: of a list, with one more than `current` has; of a neighbour, not the one in the path. */
  #likely(name, current) {
    if (name === "after") return this.#ids.of("task_id")[1];
    if (name !== "assignee_ids") return this.#ids.of(name)[0];
    const chosen = Array.isArray(current) ? current : [];
    const another = this.#ids.of("user_id").find((each) => !chosen.includes(each));
    return another ? [...chosen, another] : chosen;
  }

  #setter(name, choices, sample) {
    const set = (value) => this.#change((body) => ({ ...body, [name]: value }));
    if (!choices) {
      const insert = () => this.#change((body) => ({ ...body, [name]: this.#likely(name, body[name]) ?? sample }));
      return element("button", { type: "button", className: "quiet", "aria-label": `Insert ${name}`, onclick: insert }, "Insert");
    }
    const options = choices.map((each) => element("option", { value: JSON.stringify(each) }, String(each)));
    const select = element("select", { "aria-label": `Value of ${name}` }, element("option", { value: "" }, "Insert…"), ...options);
    select.addEventListener("change", () => {
      if (select.value !== "") set(JSON.parse(select.value));
      else this.#change(({ [name]: _, ...others }) => others);
    });
    return select;
  }
}

function faultOf(text) {
  try {
    if (text.trim() !== "") JSON.parse(text);
    return "";
  } catch (error) {
    return error.message;
  }
}
