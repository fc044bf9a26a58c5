// JSON Schema as a list of fields: references are followed, `allOf` is one object, what is nested folds.

import { nodes, prose } from "./api_docs_nodes.js";

const DEPTH_MAX = 8;
const LIMITS = {
  minLength: (value) => (value === 1 ? "not empty" : `at least ${value} characters`),
  maxLength: (value) => `at most ${value.toLocaleString("en")} characters`,
  minimum: (value) => `≥ ${value}`,
  exclusiveMinimum: (value) => `> ${value}`,
  maximum: (value) => `≤ ${value.toLocaleString("en")}`,
  minItems: (value) => (value === 1 ? "not empty" : `at least ${value} items`),
  maxItems: (value) => `at most ${value} items`,
  const: (value) => `always ${JSON.stringify(value)}`,
  enum: (values) => values.map((value) => JSON.stringify(value)).join(" | "),
  format: (value) => value,
  default: (value) => `default ${JSON.stringify(value)}`,
};

/** Follow a reference inside `document`. */
export function resolve(document, { $ref, ...rest }) {
  if ($ref === undefined) return rest;
  const steps = $ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const found = steps.reduce((place, step) => place[step], document);
  return { ...resolve(document, found), ...rest };
}

/** Make one schema of a reference and of all that `allOf` puts together. */
export function flat(document, schema) {
  const { allOf = [], ...own } = resolve(document, schema);
  return allOf.map((one) => flat(document, one)).reduceRight((made, one) => merged(one, made), own);
}

function merged(first, second) {
  const properties = { ...first.properties };
  for (const [name, schema] of Object.entries(second.properties ?? {})) {
    properties[name] = properties[name] ? { allOf: [properties[name], schema] } : schema;
  }
  const required = [...new Set([...(first.required ?? []), ...(second.required ?? [])])];
  return { ...first, ...second, properties, required };
}

/** The fields of a schema as a list, or what it is when it has none. */
export function fieldsOf(document, schema, depth = 0) {
  const whole = flat(document, schema);
  const forbidden = whole.not?.required ?? [];
  const fields = Object.entries(whole.properties ?? {}).filter(([name]) => !forbidden.includes(name));
  if (fields.length === 0) return nodes("p", { class: "faint" }, typeOf(document, whole), " ", limitsOf(whole));
  const required = new Set(whole.required ?? []);
  const items = fields.map(([name, field]) => fieldOf(document, name, field, required.has(name), depth));
  return nodes("div", {}, nodes("ul", { class: "fields" }, ...items), ...rulesOf(document, whole));
}

function fieldOf(document, name, schema, required, depth) {
  const whole = flat(document, schema);
  const item = nodes("li", { class: "field-row" }, nodes("code", { class: "field-name" }, name), " ");
  item.append(nodes("span", { class: "field-type" }, typeOf(document, schema)));
  if (required) item.append(" ", nodes("span", { class: "mark" }, "required"));
  if (whole.description) item.append(" ", prose(whole.description, "span", { class: "field-says" }));
  const limits = limitsOf(whole);
  if (limits) item.append(" ", nodes("span", { class: "field-limits" }, limits));
  if (whole.pattern) item.append(nodes("span", { class: "field-pattern" }, "pattern ", nodes("code", {}, whole.pattern)));
  const inner = innerOf(document, whole);
  if (inner && depth < DEPTH_MAX) item.append(nested(document, name, inner, depth));
  return item;
}

function nested(document, name, schema, depth) {
  const folded = nodes("details", {}, nodes("summary", {}, `fields of ${name}`));
  folded.addEventListener("toggle", () => folded.childElementCount === 1 && folded.append(fieldsOf(document, schema, depth + 1)));
  return folded;
}

function innerOf(document, whole) {
  const inner = whole.type === "array" && whole.items ? flat(document, whole.items) : whole;
  return Object.keys(inner.properties ?? {}).length > 0 ? inner : null;
}

/** Name a schema's type for a person. */
export function typeOf(document, schema) {
  const named = schema.$ref?.split("/").at(-1);
  const whole = flat(document, schema);
  if (named) return whole.type === "object" ? named : `${named}: ${whole.type ?? "any"}`;
  if (whole.type === "array") return `list of ${whole.items ? typeOf(document, whole.items) : "anything"}`;
  const choices = whole.anyOf ?? whole.oneOf;
  if (choices && whole.type === undefined) return choices.map((one) => typeOf(document, one)).join(" or ");
  if (whole.format === "binary") return "file";
  if (whole.enum || whole.const !== undefined) return "string";
  return whole.type ?? "anything";
}

/** Say a schema's limits in words, each once. */
export function limitsOf(schema) {
  const said = saidInWords(schema);
  const names = Object.keys(LIMITS).filter((name) => schema[name] !== undefined && !said.includes(name));
  return names.map((name) => LIMITS[name](schema[name])).join(" · ");
}

/** The limits that the description holds already: a bound in bytes is the true one, of which that in characters follows. */
function saidInWords({ description = "", type, format }) {
  if (type !== "string") return [];
  if (format === "binary") return ["format"];
  if (/\bbytes\b/.test(description)) return ["minLength", "maxLength"];
  return description.includes("not blank") ? ["minLength"] : [];
}

function rulesOf(document, whole) {
  const rules = [];
  for (const [name, needed] of Object.entries(whole.dependentRequired ?? {})) {
    rules.push(`${name} needs ${needed.join(", ")} beside it.`);
  }
  const least = (whole.anyOf ?? []).flatMap((one) => one.required ?? []);
  if (least.length) rules.push(`At least one of ${least.join(", ")}.`);
  for (const { properties = {} } of whole.oneOf ?? []) {
    const said = Object.entries(properties).map(([name, schema]) => `${name} ${limitsOf(schema) || `is ${typeOf(document, schema)}`}`);
    rules.push(`Either ${said.join(", ")}.`);
  }
  if (whole.not?.required) rules.push(`Never with ${whole.not.required.join(", ")}.`);
  return rules.map((rule) => nodes("p", { class: "faint" }, rule));
}

/** All words of a schema, for the search. */
export function wordsOf(document, schema, depth = 0) {
  if (depth > DEPTH_MAX) return "";
  const whole = flat(document, schema);
  const inner = whole.items ? wordsOf(document, whole.items, depth + 1) : "";
  const fields = Object.entries(whole.properties ?? {}).map(([name, field]) => `${name} ${wordsOf(document, field, depth + 1)}`);
  return [schema.$ref?.split("/").at(-1) ?? "", (whole.enum ?? []).join(" "), inner, ...fields].join(" ");
}
