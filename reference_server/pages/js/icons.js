// Small line drawings for what scripts put on a page; those that never change stand in the HTML itself.

const NAMESPACE = "http://www.w3.org/2000/svg";
const PATHS = {
  info: "M12 8h.01M11.5 12h.5v4.5h.5M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  success: "m8.5 12.2 2.4 2.4 4.8-5M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  warning: "M12 9v4.5M12 17h.01M10.4 4 2.6 17.5A1.9 1.9 0 0 0 4.2 20.4h15.6a1.9 1.9 0 0 0 1.6-2.9L13.6 4a1.9 1.9 0 0 0-3.2 0Z",
  error: "M12 7.5v5.5M12 16.5h.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  close: "m6 6 12 12M18 6 6 18",
};

/** Make a drawing by name; it says nothing to screen readers. */
export function icon(name) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
