// Markdown of the API's description as elements: paragraphs, lists, code, emphasis, links. Everything else is text.

import { element } from "./view.js";

const INLINE = /(`+)(.+?)\1(?!`)|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

/** Block elements for a text of several paragraphs and lists. */
export function markdown(text) {
  return text
    .trim()
    .split(/\n{2,}/)
    .flatMap(blocks);
}

/** A part without blank lines: lines of text, then perhaps a list. */
function blocks(part) {
  const [lead, ...items] = `\n${part}`.split(/\n[-*] /);
  const made = [];
  if (lead.trim()) made.push(element("p", {}, ...inline(lead.trim())));
  if (items.length) made.push(element("ul", {}, ...items.map((each) => element("li", {}, ...inline(each)))));
  return made;
}

/** Texts and elements for one run of text. */
export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, , code, strong, emphasis, label, address] = found;
    nodes.push(text.slice(end, found.index));
    if (code !== undefined) nodes.push(element("code", {}, code.trim()));
    else if (strong !== undefined) nodes.push(element("strong", {}, ...inline(strong)));
    else if (emphasis !== undefined) nodes.push(element("em", {}, ...inline(emphasis)));
    else nodes.push(isSafe(address) ? element("a", { href: address }, ...inline(label)) : whole);
    end = found.index + whole.length;
  }
  return [...nodes, text.slice(end)].filter((each) => each !== "");
}

/** A link may lead to a page, and never run a script. */
function isSafe(address) {
  return URL.canParse(address, location.href) && /^https?:$/.test(new URL(address, location.href).protocol);
}
