// The response to the request that was sent last, and to which one.

import { byId, element, json } from "./view.js";

let of = "";

/** Shows a result of `send`; `request`: the method and path it answers. */
export function showResponse(request, result) {
  of = `${request} · ${new Date().toLocaleTimeString()}`;
  byId("response-of").textContent = of;
  byId("response").classList.remove("earlier");
  showStatus(result);
  const faults = result.json?.errors ?? [];
  byId("faults").replaceChildren(...faults.map((each) => element("li", {}, element("code", {}, each.pointer || "/"), ` ${each.detail}`)));
  byId("response-body").hidden = result.text === "";
  byId("response-body").replaceChildren(...(result.json === undefined ? [result.text] : json(result.json, copyButton)));
  byId("headers-panel").hidden = result.headers.length === 0;
  byId("headers").replaceChildren(...result.headers.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  bringIntoView();
}

/** Says that the response is to an earlier request than the one that is open. */
export function markEarlier() {
  if (of === "") return;
  byId("response").classList.add("earlier");
  byId("response-of").textContent = `Of an earlier request: ${of}`;
}

function showStatus(result) {
  byId("status").className = result.status >= 200 && result.status < 400 ? "status good" : "status bad";
  byId("status").textContent = result.failure
    ? `No response: ${result.failure}`
    : [`${result.status} ${result.reason}`.trim(), `${result.milliseconds} ms`, `${result.bytes} bytes`].join(" · ");
}

function bringIntoView() {
  const { top } = byId("response").getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) byId("response").scrollIntoView();
}

/** A button without a text of its own, so that the JSON around it can be selected and copied as it is. */
function copyButton(id) {
  const button = element("button", { type: "button", className: "copy", title: "Copy", "aria-label": `Copy ${id}` });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(id);
    button.classList.add("done");
    button.setAttribute("aria-label", `Copied ${id}`);
  });
  return button;
}
