// Shows openapi.json with Swagger UI. Both are served from here; nothing is asked of anybody else.
"use strict";

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

new MutationObserver(name).observe(document.getElementById("docs"), { childList: true, subtree: true });

const sent = new Map(); // by URL, the request that was sent there last

/** Asks for the password until it is right. Another access token of the same session, or null if they would rather not. */
function askForPassword(authorization) {
  const dialog = document.getElementById("password-again").content.firstElementChild.cloneNode(true);
  const [form, password, error, cancel] = ["form", "input", ".error", "[type=button]"].map((each) => dialog.querySelector(each));
  let token = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const answer = await fetch("auth/reauthenticate", {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: authorization },
        body: JSON.stringify({ password: password.value }),
        credentials: "omit",
      });
      const body = await answer.json();
      if (!answer.ok) error.textContent = body.detail;
      else {
        token = body.access_token;
        dialog.close();
      }
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
      done(token);
    });
  });
}

/** The answer; where it asks for a recent sign-in, the one to the same request after that (RFC 9470). */
async function answered(answer) {
  const request = sent.get(answer.url);
  if (answer.status !== 401 || answer.obj?.code !== "reauthentication_required" || !request) return answer;
  const token = await askForPassword(request.headers.Authorization);
  if (token === null) return answer;
  viewer.preauthorizeApiKey("access_token", token);
  const headers = { ...request.headers, Authorization: `Bearer ${token}` };
  const again = await fetch(request.url, { method: request.method, headers, body: request.body, credentials: "omit" });
  const text = await again.text();
  const { ok, url, status, statusText } = again;
  return { ok, url, status, statusText, headers: Object.fromEntries(again.headers), text, data: text };
}

const viewer = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  // Links inside the buttons that open an operation cannot be told apart by keyboard or ear.
  deepLinking: false,
  displayRequestDuration: true,
  syntaxHighlight: false, // its colours are too faint on both grounds
  persistAuthorization: true,
  tryItOutEnabled: true,
  requestInterceptor: (request) => {
    sent.set(new URL(request.url, location.href).href, request);
    return request;
  },
  responseInterceptor: answered,
  validatorUrl: "none",
});
