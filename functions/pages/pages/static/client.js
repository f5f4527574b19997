// The page: what is chosen, sent and shown.

import { showAccount } from "./account.js";
import { Body } from "./client-body.js";
import { build, curl, filledPath, send } from "./client-exchange.js";
import { History } from "./client-history.js";
import { LiveUpdates } from "./client-live.js";
import { Document } from "./client-openapi.js";
import { OperationList } from "./client-operations.js";
import { Parameters } from "./client-parameters.js";
import { markEarlier, showResponse } from "./client-response.js";
import { Tags } from "./client-tags.js";
import { Ids } from "./ids.js";
import { markdown } from "./markdown.js";
import { askForPassword } from "./password-again.js";
import { Session } from "./session.js";
import { byId, element } from "./view.js";

const ROOT = new URL(".", location.href); // the page is one level below the API's root, whatever the stage is called
const MOST_HINTS = 50;
const session = new Session(ROOT);
const history = new History();
const ids = new Ids();
const tags = new Tags();
const parameters = new Parameters(ids, tags);
let api;
let list;
let body;
let chosen;

function open(operation, values = {}, text = undefined) {
  chosen = operation;
  location.replace(`#${operation.method} ${operation.path}`);
  list.mark(operation);
  byId("operation-title").textContent = `${operation.method} ${operation.path}`;
  byId("operation-summary").textContent = operation.summary;
  byId("operation-description").replaceChildren(...markdown(operation.description));
  byId("request-form").hidden = false;
  parameters.show(operation, values);
  body.show(operation, text);
  byId("fields-panel").open = !onPhone();
  markEarlier();
}

/** On a phone the list is in the way of what was chosen from it. */
function onPhone() {
  return matchMedia("(max-width: 48rem)").matches;
}

/** For what somebody opens: the focus goes there, too. */
function goTo(operation, values, text) {
  open(operation, values, text);
  if (onPhone()) byId("operations-panel").open = false;
  toRequest();
}

function toRequest() {
  byId("operation-title").focus({ preventScroll: true });
  byId("request").scrollIntoView({ block: onPhone() ? "start" : "nearest" });
}

function followAddress() {
  const [method, path] = decodeURIComponent(location.hash.slice(1)).split(" ");
  const operation = api.find(method, path);
  if (operation && operation !== chosen) open(operation);
  return operation;
}

async function submit(event) {
  event.preventDefault();
  // A button that is disabled would lose the focus.
  if (byId("send").getAttribute("aria-disabled") === "true") return;
  if (!body.check()) {
    byId("body").focus();
    return;
  }
  const operation = chosen;
  const values = parameters.values();
  const request = build(operation, values, body.text, ROOT);
  byId("send").setAttribute("aria-disabled", "true");
  byId("status").textContent = "Waiting…";
  let result;
  try {
    result = await send(request, session, operation.secured, askAgain);
  } catch (error) {
    result = { status: 0, milliseconds: 0, text: "", headers: [], failure: error.message };
  }
  byId("send").removeAttribute("aria-disabled");
  received(operation, values, request, result);
}

function received(operation, values, request, result) {
  const path = filledPath(operation, values);
  showResponse(`${operation.method} ${path}`, result);
  if (operation !== chosen) markEarlier();
  const { status, milliseconds } = result;
  history.add({ at: Date.now(), method: operation.method, path: operation.path, values, body: request.body, status, milliseconds });
  showHistory();
  if (status >= 200 && status < 300) {
    ids.learn(operation.method, path, result.json);
    tags.learn(operation.method, path, result);
    parameters.refresh();
  }
  if (result.json?.access_token) session.adopt(result.json);
}

/** Asks for the password. Another access token of the session, or null if it was not shown. */
async function askAgain() {
  const confirmed = await askForPassword(async (password) => (await session.confirm(password)).problem ?? null);
  return confirmed ? session.token() : null;
}

async function copyCurl() {
  if (!body.check()) {
    byId("body").focus();
    return;
  }
  const token = chosen.secured ? await session.token() : null;
  await navigator.clipboard.writeText(curl(build(chosen, parameters.values(), body.text, ROOT), token));
  byId("copied").textContent = token ? "Copied, with your access token in it." : "Copied.";
  setTimeout(() => (byId("copied").textContent = ""), 4000);
}

function showHistory() {
  const rows = history.entries.map((each) => {
    const again = () => {
      const operation = api.find(each.method, each.path);
      if (operation) goTo(operation, each.values, each.body ?? "");
    };
    const method = element("span", { className: `method ${each.method.toLowerCase()}` }, each.method);
    const facts = `${each.status || "no response"} · ${each.milliseconds} ms · ${new Date(each.at).toLocaleTimeString()}`;
    const path = filledPath(each, each.values);
    return element("li", {}, element("button", { type: "button", onclick: again }, method, ` ${path} `, element("small", {}, facts)));
  });
  byId("history").replaceChildren(...rows);
}

function wire() {
  byId("request-form").addEventListener("submit", submit);
  byId("copy-curl").addEventListener("click", copyCurl);
  wireLiveUpdates();
  byId("clear-history").addEventListener("click", () => {
    history.clear();
    showHistory();
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the operation
    toRequest();
  });
  addEventListener("hashchange", followAddress);
  document.addEventListener("keydown", shortcut);
}

function wireLiveUpdates() {
  const button = byId("live-switch");
  const live = new LiveUpdates(ROOT, session, showHint, (text) => (byId("live-status").textContent = text));
  let wanted = false;
  const turn = (on) => {
    wanted = on;
    button.textContent = on ? "Disconnect" : "Connect";
    if (on) live.connect();
    else live.disconnect();
  };
  button.addEventListener("click", () => turn(!wanted));
  session.addEventListener("change", () => {
    if (wanted && session.user) live.hurry();
    else if (wanted) turn(false);
  });
}

function showHint(hint) {
  const at = element("small", {}, new Date().toLocaleTimeString());
  byId("live-hints").prepend(element("li", {}, element("code", {}, JSON.stringify(hint)), " ", at));
  while (byId("live-hints").children.length > MOST_HINTS) byId("live-hints").lastElementChild.remove();
}

function shortcut(event) {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    byId("request-form").requestSubmit();
  }
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("operations-panel").open = true;
    byId("filter").focus();
    byId("filter").select();
  }
}

async function start() {
  showAccount(byId("account"), session);
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
  list = new OperationList(api.operations, goTo);
  body = new Body(api, ids);
  wire();
  showHistory();
  if (!followAddress()) open(api.find("POST", "/rooms") ?? api.operations[0]);
}

await start();
