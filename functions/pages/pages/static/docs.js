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

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  // Links inside the buttons that open an operation cannot be told apart by keyboard or ear.
  deepLinking: false,
  displayRequestDuration: true,
  syntaxHighlight: false, // its colours are too faint on both grounds
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: "none",
});
