// The inputs for an operation's parameters: choices where the API has them, filled in where responses have told a value.

import { filledPath } from "./client-exchange.js";
import { inline } from "./markdown.js";
import { byId, element } from "./view.js";

export class Parameters {
  #ids;
  #tags;
  #operation;

  constructor(ids, tags) {
    this.#ids = ids;
    this.#tags = tags;
    byId("parameters").addEventListener("input", () => this.refresh());
  }

  /** Shows the parameters of an operation; `values`: texts by `in` and name, as from `values()`. */
  show(operation, values) {
    this.#operation = operation;
    byId("parameters-field").hidden = operation.parameters.length === 0;
    byId("parameters").replaceChildren(...operation.parameters.map((each) => this.#field(each, values[each.in]?.[each.name])));
    this.refresh();
  }

  /** What is filled in: texts by `in` and name, with commas between several. */
  values() {
    const found = {};
    for (const field of byId("parameters").querySelectorAll("[data-name]")) {
      const chosen = [...field.querySelectorAll("input:checked")].map((each) => each.value);
      const text = field.tagName === "FIELDSET" ? chosen.join(",") : field.value.trim();
      (found[field.dataset.in] ??= {})[field.dataset.name] = text;
    }
    return found;
  }

  /** If-Match follows the resource, until somebody types one. */
  refresh() {
    const field = byId("parameters").querySelector('[data-name="If-Match"]');
    if (!field || field.value !== field.dataset.filled) return;
    field.value = field.dataset.filled = this.#tags.of(filledPath(this.#operation, this.values()));
  }

  #field(parameter, value) {
    const id = `${parameter.in}-${parameter.name}`;
    const described = { "aria-describedby": `${id}-meaning` };
    const meaning = element("p", { id: `${id}-meaning`, className: "hint" }, ...inline(parameter.description ?? ""));
    const where = parameter.in === "path" ? "" : ` (${parameter.in})`;
    const control = this.#control(parameter, value, { id, ...described });
    control.dataset.in = parameter.in;
    control.dataset.name = parameter.name;
    if (control.tagName === "FIELDSET") {
      control.prepend(element("legend", {}, `${parameter.name}${where}`));
      return element("div", {}, control, meaning);
    }
    const label = element("label", { for: id }, `${parameter.name}${where}`);
    return element("div", {}, label, control, this.#options(parameter, id), meaning);
  }

  #control(parameter, value, attributes) {
    const { type, items } = parameter.schema;
    const choices = parameter.schema.enum ?? (type === "boolean" ? ["true", "false"] : null);
    if (choices) {
      const select = element("select", attributes, element("option", { value: "" }, "not sent"), ...choices.map((each) => element("option", {}, each)));
      select.value = value ?? "";
      return select;
    }
    if (items?.enum) {
      const chosen = value?.split(",") ?? [];
      const boxes = items.enum.map((each) => {
        const box = element("input", { type: "checkbox", value: each, checked: chosen.includes(each) });
        return element("label", { className: "inline" }, box, ` ${each}`);
      });
      return element("fieldset", { className: "choices", ...attributes }, ...boxes);
    }
    const path = parameter.in === "path";
    const input = element("input", {
      ...attributes,
      value: value ?? (path ? this.#likely(parameter.name) : ""),
      required: path,
      placeholder: type === "array" ? "commas between several" : "",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: false,
      list: `${attributes.id}-known`,
    });
    if (value === undefined || value === "") input.dataset.filled = "";
    return input;
  }

  /** An id from the responses. `me` is good for anything but what cannot be undone. */
  #likely(name) {
    const [latest] = this.#ids.of(name, this.#operation.path);
    return latest ?? (name === "user_id" && this.#operation.method !== "DELETE" ? "me" : "");
  }

  #options(parameter, id) {
    return element("datalist", { id: `${id}-known` }, ...this.#ids.of(parameter.name, this.#operation.path).map((each) => element("option", { value: each })));
  }
}
