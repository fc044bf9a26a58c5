// The REST side of the API's page: operations by tag, what any path may answer, and rules that no schema says.

import { commandOf } from "./api_docs_command.js";
import { entry, example, nodes, part, prose, table } from "./api_docs_nodes.js";
import { fieldsOf, limitsOf, resolve, typeOf, wordsOf } from "./api_docs_schema.js";

/** One section a tag, one entry an operation. */
export function operationsOf(document) {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );
  return document.tags.map(({ name }) => ({
    id: `tag-${name}`,
    title: name,
    lead: [],
    entries: all.filter(({ tags }) => tags.includes(name)).map((operation) => operationEntry(document, operation)),
  }));
}

function operationEntry(document, operation) {
  const { operationId, method, path, summary } = operation;
  return entry({
    id: `op-${operationId}`,
    tone: method,
    name: path,
    says: summary,
    marks: marksOf(operation),
    words: [operationId, ...Object.keys(operation.responses), ...bodyWords(document, operation)].join(" "),
    build: () => insideOf(document, operation),
  });
}

function marksOf({ security }) {
  if (security.length === 0) return ["no token"];
  const roles = security.flatMap((one) => Object.values(one).flat());
  return roles.length ? roles : ["token"];
}

function bodyWords(document, { parameters = [], requestBody, responses }) {
  const contents = [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}));
  const schemas = contents.map(({ schema }) => wordsOf(document, schema));
  return [...parameters.map(({ name }) => name), ...new Set(schemas)];
}

function insideOf(document, operation) {
  const { operationId, description, parameters = [], requestBody, responses } = operation;
  const inside = [nodes("p", { class: "faint" }, "operation ", nodes("code", {}, operationId))];
  if (description) inside.push(prose(description));
  if (parameters.length) inside.push(part("Parameters", parametersTable(document, parameters)));
  if (requestBody) inside.push(part(requestBody.required ? "Body" : "Body, which may be left out", ...bodiesOf(document, requestBody)));
  if (requestBody) inside.push(part("Request", example("as a command", commandOf(document, operation, location.origin))));
  inside.push(part("Answers", answersTable(document, responses)));
  for (const [status, response] of Object.entries(responses)) {
    if (status < "400" && response.content) inside.push(part(`Body of ${status}`, ...bodiesOf(document, response)));
  }
  return [...inside, ...waysOn(responses)];
}

function parametersTable(document, parameters) {
  const rows = parameters.map(({ name, in: place, required, schema, description = "" }) => {
    const limits = limitsOf(resolve(document, schema));
    return [nodes("code", {}, name), place, typeOf(document, schema), required ? "yes" : "no", [description, limits].filter(Boolean).join(" · ")];
  });
  return table("Parameters", ["Name", "In", "Type", "Required", "What"], rows);
}

function bodiesOf(document, { content }) {
  return Object.entries(content).flatMap(([media, { schema, encoding = {}, examples = {} }]) => [
    nodes("p", {}, nodes("code", {}, media), " ", nodes("span", { class: "faint" }, typeOf(document, schema))),
    ...typesOf(encoding),
    fieldsOf(document, schema),
    ...Object.values(examples).map(({ summary, value }) => example(summary, value)),
  ]);
}

/** The parts of a form that are more than text, in one line. */
function typesOf(encoding) {
  const parts = Object.entries(encoding).map(([name, { contentType }]) => `\`${name}\` goes as ${contentType}`);
  return parts.length ? [prose(`${parts.join("; ")}.`, "p", { class: "faint" })] : [];
}

function answersTable(document, responses) {
  const rows = Object.entries(responses).map(([status, response]) => {
    const bodies = Object.entries(response.content ?? {}).map(([media, { schema }]) =>
      media === "application/json" ? typeOf(document, schema) : media,
    );
    return [nodes("strong", { class: "status", "data-tone": status[0] }, status), response.description, bodies.join(", ") || "none", headersOf(response)];
  });
  return table("Answers", ["Status", "What", "Body", "Headers"], rows);
}

function headersOf({ headers = {} }) {
  return nodes("code", {}, Object.keys(headers).join(", ") || "none");
}

function waysOn(responses) {
  const links = Object.values(responses).flatMap(({ links = {} }) => Object.entries(links));
  if (links.length === 0) return [];
  const items = links.map(([name, { operationId }]) => nodes("li", {}, nodes("a", { href: `#op-${operationId}` }, name)));
  return [part("Leads to", nodes("ul", { class: "ways" }, ...items))];
}

/** What stands beside the operations. */
export function restOf(document) {
  return [
    { id: "everywhere", title: "Everywhere", lead: [prose(document.info.description)], entries: everywhere(document) },
    { id: "models", title: "Models", lead: [], entries: Object.entries(document.components.schemas).map((one) => modelEntry(document, one)) },
  ];
}

function everywhere(document) {
  const { securitySchemes, headers } = document.components;
  return [
    entry({
      id: "credentials",
      name: "Credentials",
      says: "Where a credential stands",
      words: Object.keys(securitySchemes).join(" "),
      build: () => Object.entries(securitySchemes).map(([name, { description }]) => part(name, prose(description))),
    }),
    entry({
      id: "headers",
      name: "Headers of answers",
      says: "What each one says",
      words: Object.keys(headers).join(" "),
      build: () => [table("Headers", ["Name", "Always there", "What"], Object.entries(headers).map(headerRow))],
    }),
    entry({
      id: "no-operation",
      name: "No such path, no such method",
      says: "What any path may answer",
      words: "404 405 allow",
      build: () => [answersTable(document, Object.fromEntries(Object.entries(document.components.responses)))],
    }),
    entry({
      id: "beyond-schema",
      name: "Rules beyond the schemas",
      says: "What the server refuses and JSON Schema can't say",
      words: document["x-beyond-schema"].map(({ model, refused, reason }) => `${model} ${refused} ${reason}`).join(" "),
      build: () => [table("Rules beyond the schemas", ["Model", "Refused", "Why no schema says so"], document["x-beyond-schema"].map(({ model, refused, reason }) => [nodes("code", {}, model), refused, reason]))],
    }),
  ];
}

function headerRow([name, { required, description }]) {
  return [nodes("code", {}, name), required ? "yes" : "no", description];
}

function modelEntry(document, [name, schema]) {
  return entry({
    id: `model-${name}`,
    name,
    words: wordsOf(document, schema),
    build: () => [
      ...(schema.description ? [prose(schema.description)] : []),
      fieldsOf(document, schema),
      ...(schema.examples ?? []).map((value, at) => example(`example ${at + 1}`, value)),
    ],
  });
}
