// The viewer's plugin that finds operations by what their line says; "/" goes to it, Enter opens the first match.

const OPERATIONS = "#docs .opblock";

export function finding(system) {
  const { createElement } = system.React;

  function FilterContainer({ layoutActions, layoutSelectors }) {
    const phrase = layoutSelectors.currentFilter();
    return createElement(
      "div",
      { className: "find wrapper" },
      createElement("label", { htmlFor: "find" }, "Find an operation ", createElement("kbd", {}, "/")),
      createElement("input", {
        id: "find",
        type: "search",
        autoComplete: "off",
        spellCheck: false,
        value: typeof phrase === "string" ? phrase : "",
        onChange: (event) => layoutActions.updateFilter(event.target.value || true),
        onKeyDown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault(); // otherwise the key would go on to the button that gets the focus, and close it again
          openBest(event.target.value);
        },
      }),
      createElement("p", { className: "hint" }, "Enter opens the first match."),
    );
  }

  const operations = (Original) => (props) =>
    system.specSelectors.taggedOperations().size === 0
      ? createElement("p", { className: "wrapper", role: "status" }, "No operation matches.")
      : createElement(Original, props);

  return { components: { FilterContainer }, wrapComponents: { operations }, fn: { opsFilter } };
}

/** Of each tag the operations in whose method, path or summary every word occurs. */
function opsFilter(taggedOperations, phrase) {
  const words = phrase.toLowerCase().split(/\s+/);
  const matches = (each) => {
    const line = `${each.get("method")} ${each.get("path")} ${each.getIn(["operation", "summary"])}`.toLowerCase();
    return words.every((word) => line.includes(word));
  };
  return taggedOperations
    .map((tag) => tag.update("operations", (all) => all.filter(matches)))
    .filter((tag) => tag.get("operations").size > 0);
}

/** Opens the operation that was typed out, or the first of those that match. */
function openBest(typed) {
  const all = [...document.querySelectorAll(OPERATIONS)];
  const line = (each) => [".opblock-summary-method", ".opblock-summary-path"].map((part) => each.querySelector(part).textContent).join(" ");
  const best = all.find((each) => line(each).toLowerCase() === typed.trim().toLowerCase()) ?? all[0];
  if (!best) return;
  const control = best.querySelector(".opblock-summary-control");
  if (!best.classList.contains("is-open")) control.click();
  control.focus();
  best.scrollIntoView();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  document.getElementById("find")?.select();
});
