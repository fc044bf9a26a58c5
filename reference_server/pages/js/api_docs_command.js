// A request of an operation as a command for a shell: with its credential, and its body as it goes over the wire.

import { flat, resolve } from "./api_docs_schema.js";

const MULTIPART = "multipart/form-data";

/** Write the command with the first example of the body; what the caller has to put in stands in capitals. */
export function commandOf(document, { path, method, security, requestBody }, origin) {
  const [media, body] = Object.entries(requestBody.content)[0];
  const credential = security.length ? [`-H 'Authorization: Bearer TOKEN'`] : [];
  const sent = media === MULTIPART ? formOf(document, body) : jsonOf(media, body);
  const url = origin + path.replaceAll(/\{(\w+)\}/g, (_, name) => name.toUpperCase());
  return [`curl -X ${method} ${url}`, ...credential, ...sent].join(" \\\n  ");
}

function jsonOf(media, { examples = {} }) {
  const [first] = Object.values(examples);
  return [`-H 'Content-Type: ${media}'`, `-d ${quoted(JSON.stringify(first?.value ?? {}))}`];
}

/** A text is a part, a list one part an item, an object a part of JSON text, a file a part with its own type. */
function formOf(document, { schema, encoding, "x-form": form }) {
  const examples = form ? (resolve(document, form).examples ?? []) : [];
  const [value = {}] = examples.toSorted((one, other) => Object.keys(other).length - Object.keys(one).length);
  return Object.entries(flat(document, schema).properties).flatMap(([name, field]) => {
    const type = encoding[name]?.contentType.split(", ")[0];
    if (field.format === "binary") return [`-F ${quoted(`${name}=@FILE;type=${type}`)}`];
    if (value[name] === undefined) return [];
    const parts = type ? [`${JSON.stringify(value[name])};type=${type}`] : [value[name]].flat();
    return parts.map((part) => `-F ${quoted(`${name}=${part}`)}`);
  });
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
