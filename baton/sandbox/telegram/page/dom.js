// DOM nodes from plain data. Texts of bots and people only ever become text nodes.

export const $ = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A picture of 24 × 24 units drawn with one line: fonts for emoji are not everywhere.
export function icon(path, size = 24) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export function initial(name) {
  return [...name][0].toUpperCase();
}

export function avatar(name, id) {
  return element("span", { class: `avatar c${Math.abs(id) % 6}`, "aria-hidden": "true" }, initial(name));
}

// Only addresses that open a page or a mail: javascript: and data: stay text.
export function safeAddress(address) {
  return /^(https?:|mailto:|tg:|tel:)/i.test(address) ? address : null;
}

export function link(address, children) {
  const href = safeAddress(address);
  return href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children)
    : element("span", {}, ...children);
}
