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
const ID = /^"([a-z]+_[0-9a-f]{32}(?:\.[0-9a-f]{32})?)"$/;
const ROOM_CODE = /^"([A-Z0-9]{6,9})"$/;

/** Indented JSON with its parts marked, as nodes; behind the first place of each id or room code, `beside(id)`. */
export function json(value, beside) {
  const text = JSON.stringify(value, null, 2);
  const nodes = [];
  const seen = new Set();
  let end = 0;
  let key = "";
  for (const found of text.matchAll(TOKENS)) {
    const [whole, string, colon, word] = found;
    nodes.push(text.slice(end, found.index));
    const kind = string ? (colon ? "key" : "text") : word ? "word" : "number";
    nodes.push(element("span", { className: `json-${kind}` }, string ?? whole));
    if (colon) {
      nodes.push(colon);
      key = string;
    } else {
      const id = string?.match(key === '"code"' ? ROOM_CODE : ID)?.[1];
      if (id && !seen.has(id)) nodes.push(beside(id));
      seen.add(id);
    }
    end = found.index + whole.length;
  }
  return [...nodes, text.slice(end)];
}
