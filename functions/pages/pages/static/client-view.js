// Building elements. Texts become text nodes and nothing else, so no answer can bring markup of its own.

/** An element with properties, and children that are elements or texts. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key === "list" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Indented JSON with its keys, texts and other values marked, as a list of nodes. */
export function highlighted(json) {
  const text = JSON.stringify(json, null, 2);
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    const [whole, string, colon, word] = found;
    nodes.push(text.slice(end, found.index));
    const kind = string ? (colon ? "key" : "text") : word ? "word" : "number";
    nodes.push(element("span", { className: `json-${kind}` }, string ?? whole));
    if (colon) nodes.push(colon);
    end = found.index + whole.length;
  }
  return [...nodes, text.slice(end)];
}
