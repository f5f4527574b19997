// The part of the reference that explains each problem code once.

import { anchor } from "./docs-description.js";
import { element } from "./view.js";

/** Fills `place` with the problems, by status, and lets links to a code lead there. */
export function showProblems(place, all) {
  const groups = [...all].sort((one, other) => one.status - other.status).map(group);
  place.replaceChildren(
    element("h2", { id: "problems-title" }, "Problems"),
    element("p", {}, "Each error is a problem document (RFC 9457) of one of these codes, as application/problem+json."),
    ...groups,
  );
  place.hidden = false;
  document.addEventListener("click", (event) => {
    const link = event.target.closest(`a[href^="#${anchor("")}"]`);
    if (!link) return;
    event.preventDefault(); // the viewer opens links in another tab
    const found = document.getElementById(link.hash.slice(1));
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
  });
}

function group({ status, title, problems }) {
  const rows = problems.map(({ code, meaning }) =>
    element("div", { id: anchor(code), tabIndex: -1 }, element("dt", {}, element("code", {}, code)), element("dd", {}, meaning)),
  );
  const example = JSON.stringify(problems[0].example, null, 2);
  return element(
    "section",
    { "aria-label": `${status} ${title}` },
    element("h3", {}, `${status} ${title}`),
    element("dl", {}, ...rows),
    element("details", {}, element("summary", {}, "Example"), element("pre", { tabIndex: 0 }, example)),
  );
}
