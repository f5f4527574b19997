// The page: what is chosen, filled in, sent and shown.

import { build, curl, send } from "./client-exchange.js";
import { History } from "./client-history.js";
import { Ids } from "./client-ids.js";
import { Document } from "./client-openapi.js";
import { Session } from "./client-session.js";
import { byId, element, highlighted } from "./client-view.js";

const ROOT = new URL(".", location.href); // the page is one level below the API's root, whatever the stage is called
const session = new Session(ROOT);
const history = new History();
const ids = new Ids();
let api;
let chosen;

// ------------------------------------------------------------------------------------------------- operations

function showOperations() {
  const wanted = byId("filter").value.toLowerCase().split(/\s+/);
  const matches = (each) => wanted.every((word) => `${each.method} ${each.path} ${each.summary}`.toLowerCase().includes(word));
  const groups = Map.groupBy ? Map.groupBy(api.operations.filter(matches), (each) => each.tag) : grouped(api.operations.filter(matches));
  const lists = [...groups].map(([tag, operations]) => [
    element("h3", {}, tag),
    element("ul", {}, ...operations.map((each) => element("li", {}, operationButton(each)))),
  ]);
  byId("operations").replaceChildren(...lists.flat());
  if (groups.size === 0) byId("operations").append(element("p", { className: "hint" }, "Nothing matches."));
}

function grouped(operations) {
  const groups = new Map();
  for (const each of operations) groups.set(each.tag, [...(groups.get(each.tag) ?? []), each]);
  return groups;
}

function operationButton(operation) {
  const method = element("span", { className: `method ${operation.method.toLowerCase()}` }, operation.method);
  const button = element("button", { type: "button", title: operation.summary, onclick: () => chooseFromList(operation) }, method, ` ${operation.path}`);
  if (operation === chosen) button.setAttribute("aria-current", "true");
  return button;
}

function choose(operation, values = {}, body = undefined) {
  chosen = operation;
  location.replace(`#${operation.method} ${operation.path}`);
  showOperations();
  byId("operation-title").textContent = `${operation.method} ${operation.path}`;
  byId("operation-summary").textContent = [operation.summary, operation.description].filter(Boolean).join(". ").replaceAll("..", ".");
  byId("request-form").hidden = false;
  byId("parameters-field").hidden = operation.parameters.length === 0;
  byId("parameters").replaceChildren(...operation.parameters.map((each) => parameterInput(each, values[each.in]?.[each.name])));
  byId("body-field").hidden = !operation.body;
  if (operation.body) {
    byId("body").value = body ?? JSON.stringify(api.skeleton(operation), null, 2);
    byId("fields").replaceChildren(...api.fields(operation).map(fieldRow));
  }
  checkBody();
}

/** On a phone the list is in the way of what was chosen from it. */
function onPhone() {
  return matchMedia("(max-width: 48rem)").matches;
}

function chooseFromList(operation) {
  choose(operation);
  if (!onPhone()) return;
  byId("operations-panel").open = false;
  byId("request").scrollIntoView();
}

function parameterInput(parameter, value) {
  const id = `${parameter.in}-${parameter.name}`;
  const known = parameter.in === "path" ? ids.of(parameter.name) : (parameter.schema.enum ?? parameter.schema.items?.enum ?? []);
  const input = element("input", {
    id,
    value: value ?? (parameter.in === "path" ? (known[0] ?? "") : ""),
    required: parameter.in === "path",
    autocomplete: "off",
    spellcheck: false,
    list: `${id}-known`,
  });
  input.dataset.in = parameter.in;
  input.dataset.name = parameter.name;
  const where = parameter.in === "path" ? "" : ` (${parameter.in}${parameter.schema.type === "array" ? ", commas between several" : ""})`;
  const label = element("label", { for: id, title: parameter.description ?? "" }, `${parameter.name}${where}`);
  const options = element("datalist", { id: `${id}-known` }, ...known.map((each) => element("option", { value: each })));
  return element("div", {}, label, input, options);
}

function fieldRow(field) {
  const name = element("code", {}, field.name);
  const type = `${field.type}${field.required ? ", required" : ""}`;
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, type), element("td", {}, field.meaning));
}

// ---------------------------------------------------------------------------------------------------- request

function filledIn() {
  const values = {};
  for (const input of byId("parameters").querySelectorAll("input")) {
    (values[input.dataset.in] ??= {})[input.dataset.name] = input.value.trim();
  }
  return values;
}

function checkBody() {
  let fault = "";
  try {
    if (byId("body").value.trim() !== "") JSON.parse(byId("body").value);
  } catch (error) {
    fault = `Not JSON yet: ${error.message}`;
  }
  byId("body-hint").textContent = fault;
}

function formatBody() {
  try {
    byId("body").value = JSON.stringify(JSON.parse(byId("body").value), null, 2);
  } catch {
    byId("body").focus();
  }
}

async function submit(event) {
  event.preventDefault();
  const operation = chosen;
  const values = filledIn();
  const request = build(operation, values, byId("body").value, ROOT);
  byId("send").disabled = true;
  byId("status").textContent = "Waiting…";
  let result;
  try {
    result = await send(request, session, operation.secured, askForPassword);
  } catch (error) {
    result = { status: 0, milliseconds: 0, text: "", headers: [], failure: error.message };
  }
  byId("send").disabled = false;
  show(result);
  history.add({ at: Date.now(), method: operation.method, path: operation.path, values, body: request.body, status: result.status, milliseconds: result.milliseconds });
  showHistory();
  if (result.status >= 200 && result.status < 300) ids.learn(operation.path, result.json);
  if (result.json?.access_token) session.adopt(result.json);
}

async function copyCurl() {
  const token = chosen.secured ? await session.token() : null;
  await navigator.clipboard.writeText(curl(build(chosen, filledIn(), byId("body").value, ROOT), token));
  byId("copied").textContent = token ? "Copied, with your access token in it." : "Copied.";
  setTimeout(() => (byId("copied").textContent = ""), 4000);
}

// ----------------------------------------------------------------------------------------------------- answer

function show(result) {
  const status = byId("status");
  status.className = result.status >= 200 && result.status < 400 ? "status good" : "status bad";
  status.textContent = result.failure
    ? `No answer: ${result.failure}`
    : `${result.status} ${result.reason} · ${result.milliseconds} ms · ${result.bytes} bytes`;
  const faults = result.json?.errors ?? [];
  byId("faults").replaceChildren(...faults.map((each) => element("li", {}, element("code", {}, each.pointer || "/"), ` ${each.detail}`)));
  const body = byId("answer-body");
  body.hidden = result.text === "";
  body.replaceChildren(...(result.json === undefined ? [result.text] : highlighted(result.json)));
  byId("headers-panel").hidden = result.headers.length === 0;
  byId("headers").replaceChildren(
    ...result.headers.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value))),
  );
}

function showHistory() {
  const rows = history.entries.map((each) => {
    const again = () => {
      const operation = api.find(each.method, each.path);
      if (operation) choose(operation, each.values, each.body ?? "");
    };
    const method = element("span", { className: `method ${each.method.toLowerCase()}` }, each.method);
    const path = each.path.replace(/\{([^}]+)\}/g, (_, name) => each.values.path?.[name] ?? "");
    const facts = `${each.status || "no answer"} · ${each.milliseconds} ms · ${new Date(each.at).toLocaleTimeString()}`;
    return element("li", {}, element("button", { type: "button", onclick: again }, method, ` ${path} `, element("small", {}, facts)));
  });
  byId("history").replaceChildren(...rows);
}

// ---------------------------------------------------------------------------------------------------- session

function showSession() {
  const user = session.user;
  byId("who").textContent = user ? `Signed in as ${user.username}` : "Not signed in";
  byId("open-sign-in").hidden = user !== null;
  byId("sign-out").hidden = user === null;
}

async function enter(event) {
  event.preventDefault();
  byId("sign-in-error").textContent = "";
  const action = event.submitter?.value ?? "login";
  try {
    const problem = await session.enter(action, byId("identifier").value.trim(), byId("password").value, byId("remember").checked);
    if (problem) {
      const details = problem.errors?.map((each) => each.detail) ?? [problem.detail];
      byId("sign-in-error").textContent = details.join(" ");
      return;
    }
  } catch (failure) {
    byId("sign-in-error").textContent = `No answer: ${failure.message}`;
    return;
  }
  byId("sign-in-form").reset();
  byId("sign-in").close();
}

/** Asks for the password until it is right. The access token that says so, or null if they would rather not. */
function askForPassword() {
  const dialog = byId("password-again").content.firstElementChild.cloneNode(true);
  const [form, password, error, cancel] = ["form", "input", ".error", "[type=button]"].map((each) => dialog.querySelector(each));
  let shown = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const problem = await session.reauthenticate(password.value);
      shown = problem === null;
      if (shown) dialog.close();
      else error.textContent = problem.detail;
    } catch (failure) {
      error.textContent = `No answer: ${failure.message}`;
    }
  });
  cancel.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(shown ? session.token() : null);
    });
  });
}

// ------------------------------------------------------------------------------------------------------ start

function wireSession() {
  byId("open-sign-in").addEventListener("click", () => byId("sign-in").showModal());
  byId("cancel-sign-in").addEventListener("click", () => byId("sign-in").close());
  byId("sign-in-form").addEventListener("submit", enter);
  byId("sign-out").addEventListener("click", () => session.leave());
  session.addEventListener("change", showSession);
}

function wireRequests() {
  byId("filter").addEventListener("input", showOperations);
  byId("body").addEventListener("input", checkBody);
  byId("format-body").addEventListener("click", formatBody);
  byId("reset-body").addEventListener("click", () => {
    byId("body").value = JSON.stringify(api.skeleton(chosen), null, 2);
    checkBody();
  });
  byId("request-form").addEventListener("submit", submit);
  byId("copy-curl").addEventListener("click", copyCurl);
  byId("clear-history").addEventListener("click", () => {
    history.clear();
    showHistory();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      byId("request-form").requestSubmit();
    }
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("operations-panel").open = true;
      byId("filter").focus();
    }
  });
}

async function start() {
  wireSession();
  showSession();
  byId("operations-panel").open = !onPhone();
  try {
    const answer = await fetch(new URL("openapi.json", ROOT));
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    api = new Document(await answer.json());
  } catch (failure) {
    byId("operation-title").textContent = "The OpenAPI document could not be loaded";
    byId("operation-summary").textContent = `${failure.message}. Reload the page to try again.`;
    return;
  }
  wireRequests();
  showHistory();
  const [method, path] = decodeURIComponent(location.hash.slice(1)).split(" ");
  choose(api.find(method, path) ?? api.find("POST", "/rooms") ?? api.operations[0]);
}

await start();
