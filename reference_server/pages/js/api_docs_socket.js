// The socket's side of the API's page: how to connect, each message with its payload, and the close codes.

import { entry, example, nodes, part, prose, table } from "./api_docs_nodes.js";
import { fieldsOf, resolve, wordsOf } from "./api_docs_schema.js";

/** One section of the channel, its messages and its close codes. */
export function socketOf(document) {
  return Object.values(document.channels).map((channel) => ({
    id: "socket-messages",
    title: "Messages of the socket",
    lead: [prose(document.info.description), prose("RECEIVE is what a client reads, SEND what it writes.")],
    entries: [
      connectEntry(document, channel),
      ...Object.keys(channel.messages).map((name) => messageEntry(document, channel, name)),
      closeEntry(channel),
    ],
  }));
}

function connectEntry(document, channel) {
  const schemes = document.components.securitySchemes;
  return entry({
    id: "socket-connect",
    tone: "WS",
    name: channel.address,
    says: "Where to connect, and how",
    words: `${channel["x-subprotocol"]} ${Object.keys(schemes).join(" ")}`,
    build: () => [
      prose(channel.description),
      part("Subprotocol", nodes("p", {}, nodes("code", {}, channel["x-subprotocol"]))),
      ...Object.entries(schemes).map(([name, { description }]) => part(`Token: ${name}`, prose(description))),
    ],
  });
}

function messageEntry(document, channel, name) {
  const message = resolve(document, channel.messages[name]);
  return entry({
    id: `message-${name}`,
    tone: directionOf(document, name),
    name,
    says: message.summary,
    words: wordsOf(document, message.payload),
    build: () => [
      part("Payload", fieldsOf(document, message.payload)),
      part("Examples", ...message.examples.map(({ summary, payload }) => example(summary, payload))),
    ],
  });
}

// The document is the server's: what it sends a client receives.
function directionOf(document, name) {
  const received = Object.values(document.operations).filter(({ action }) => action === "receive");
  return received.some(({ messages }) => messages.some(({ $ref }) => $ref.endsWith(`/${name}`))) ? "SEND" : "RECEIVE";
}

function closeEntry(channel) {
  const codes = channel["x-close-codes"];
  return entry({
    id: "close-codes",
    tone: "CLOSE",
    name: "Close codes",
    says: "What ends a connection, and whether to come back",
    words: codes.map(({ code, name, meaning }) => `${code} ${name} ${meaning}`).join(" "),
    build: () => [
      table("Close codes", ["Code", "Name", "What it says", "Connect again"], codes.map(({ code, name, meaning, reconnect }) => [nodes("strong", {}, String(code)), name, meaning, reconnect ? "yes" : "no"])),
    ],
  });
}
