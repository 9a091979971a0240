/** Texts may come from the network, so elements are made here, and never from HTML. */
type Child = Node | string;

/** Makes an element. @param attributes `class`, `aria-label` and others; false: none, true: empty */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element of SVG. */
export function svgElement<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

export function setAttributes(
  target: Element,
  attributes: Readonly<Record<string, string | boolean>>,
): void {
  for (const [name, value] of Object.entries(attributes))
    setAttribute(target, name, value);
}

/** Sets an attribute if it is different: an unchanged element costs nothing. */
export function setAttribute(
  target: Element,
  name: string,
  value: string | boolean,
): void {
  if (value === false) {
    if (target.hasAttribute(name)) target.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : value;
  if (target.getAttribute(name) !== text) target.setAttribute(name, text);
}

/** Sets the text of an element if it is different. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Puts siblings in this order. The anchor is not moved, so it keeps the focus. */
export function orderSiblings(
  siblings: readonly Element[],
  anchor = siblings[0],
): void {
  const place = anchor ? siblings.indexOf(anchor) : 0;
  for (let i = place - 1; i >= 0; i--) {
    const [one, next] = [siblings[i], siblings[i + 1]];
    if (one && next && one.nextElementSibling !== next) next.before(one);
  }
  for (let i = place + 1; i < siblings.length; i++) {
    const [one, before] = [siblings[i], siblings[i - 1]];
    if (one && before && one.previousElementSibling !== before)
      before.after(one);
  }
}

/** An element of the page by its id. */
export function byId<Type extends HTMLElement>(
  id: string,
  type: new () => Type,
): Type {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${id}`);
}
