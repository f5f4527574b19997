// Shows the API's description with Swagger UI. Both are served from here; nothing is requested from elsewhere.

import { showAccount } from "./account.js";
import { prepared, problems } from "./docs-description.js";
import { finding } from "./docs-find.js";
import { showProblems } from "./docs-problems.js";
import { Ids } from "./ids.js";
import { askForPassword } from "./password-again.js";
import { Session } from "./session.js";
import { byId } from "./view.js";

const ROOT = new URL(".", location.href); // the page is one level below the API's root, whatever the stage is called
const session = new Session(ROOT);
const ids = new Ids();
let viewer;
let given = null; // the access token that the viewer has from the session

// Swagger UI leaves these without a name for those who do not see them.
const NAMES = [
  ["#servers", "Server"],
  [".examples-select-element", "Example"],
  [".content-type", "Media type"],
  ["textarea.body-param__text", "Body, JSON"],
  [".parameters input", "Value of the parameter"],
  [".parameters select", "Value of the parameter"],
  [".parameters textarea", "Value of the parameter"],
  ["#auth-bearer-value", "Access token"],
];

function name() {
  for (const [selector, text] of NAMES) {
    for (const each of document.querySelectorAll(`${selector}:not([aria-label])`)) each.setAttribute("aria-label", text);
  }
  // What may be scrolled must be reachable by keyboard.
  for (const each of document.querySelectorAll("pre:not([tabindex])")) each.tabIndex = 0;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

/** Gives the viewer the session's token, or takes it back when nobody is signed in any more. */
async function authorize() {
  const token = await session.token();
  if (token === given) return;
  if (token === null) viewer.authActions.logout(["access_token"]);
  else viewer.preauthorizeApiKey("access_token", token);
  given = token;
}

const sent = new Map(); // by URL, the request that was sent there last

/** A token of the session is renewed before it ends. */
async function beforeSending(request) {
  if (given !== null && request.headers.Authorization === `Bearer ${given}`) {
    await authorize();
    if (given !== null) request.headers.Authorization = `Bearer ${given}`;
  }
  sent.set(new URL(request.url, location.href).href, request);
  return request;
}

/** The response; where a recent sign-in is required, the one to the same request after that. */
async function afterReceiving(response) {
  const request = sent.get(response.url);
  if (!request) return response;
  if (response.ok) {
    ids.learn(request.method, new URL(response.url).pathname, response.obj);
    if (response.obj?.access_token) session.adopt(response.obj);
  }
  if (response.status !== 401 || response.obj?.code !== "reauthentication_required") return response;
  let { Authorization } = request.headers;
  const confirmed = await askForPassword(async (password) => {
    const answer = await session.confirm(password, Authorization);
    if (answer.problem) return answer.problem;
    viewer.preauthorizeApiKey("access_token", answer.token);
    Authorization = `Bearer ${answer.token}`;
    return null;
  });
  return confirmed ? sentAgain({ ...request, headers: { ...request.headers, Authorization } }) : response;
}

async function sentAgain({ url: to, method, headers, body }) {
  const again = await fetch(to, { method, headers, body, credentials: "omit" });
  const text = await again.text();
  const { ok, url, status, statusText } = again;
  return { ok, url, status, statusText, headers: Object.fromEntries(again.headers), text, data: text };
}

/** The plugin that fills the ids of the latest responses into the path of an operation that is opened. */
function filling(system) {
  const show = (original) => (thing, shown) => {
    const operation = shown && thing[0] === "operations" ? operationOf(thing[2]) : undefined;
    for (const { name: parameter, in: where } of operation?.parameters ?? []) {
      const [latest] = where === "path" ? ids.of(parameter, operation.path) : [];
      const at = [operation.path, operation.method];
      if (latest && !system.specSelectors.getParameter(at, parameter, where)?.get("value")) {
        system.specActions.changeParam(at, parameter, where, latest);
      }
    }
    return original(thing, shown);
  };
  const operationOf = (id) => {
    for (const [path, item] of Object.entries(system.specSelectors.specJson().get("paths").toJS())) {
      for (const [method, each] of Object.entries(item)) if (each.operationId === id) return { ...each, path, method };
    }
  };
  return { statePlugins: { layout: { wrapActions: { show } } } };
}

async function start() {
  const answer = await fetch(new URL("openapi.json", ROOT));
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  const description = await answer.json();
  new MutationObserver(name).observe(byId("docs"), { childList: true, subtree: true });
  viewer = SwaggerUIBundle({
    spec: prepared(description, ROOT),
    dom_id: "#docs",
    plugins: [finding, filling],
    filter: true,
    // Links inside the buttons that open an operation cannot be distinguished by keyboard or ear.
    deepLinking: false,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    syntaxHighlight: false, // its colours are too faint on both grounds
    tryItOutEnabled: true,
    requestInterceptor: beforeSending,
    responseInterceptor: afterReceiving,
    validatorUrl: "none",
  });
  showProblems(byId("problems"), problems(description));
  session.addEventListener("change", authorize);
  await authorize();
}

showAccount(byId("account"), session);
try {
  await start();
} catch (failure) {
  byId("docs").textContent = `The description could not be loaded: ${failure.message}. Reload the page to try again.`;
}
