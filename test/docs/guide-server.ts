/**
 * `node guide-server.js NAME [ADDRESS:]PORT[/udp|/dns]…`: a server that says who it is, and how a request came. Ends with its
 * standard input.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";

const [name = "", ...endpoints] = process.argv.slice(2);
process.stdin.resume().on("end", () => process.exit());
for (const endpoint of endpoints) {
  const [at = "", kind = "http"] = endpoint.split("/");
  const [port = "", address] = at.split(":").reverse();
  if (kind === "http") await serveHttp(Number(port));
  else await serveDatagrams(kind, Number(port), address);
}
console.log("listening");

async function serveHttp(port: number): Promise<void> {
  const server = createServer(({ socket }, response) => {
    const at = `${bare(socket.localAddress)}:${socket.localPort ?? 0}`;
    response.end(
      `${name}: request from ${bare(socket.remoteAddress)} to ${at}\n`,
    );
  });
  await once(server.listen(port), "listening");
}

async function serveDatagrams(
  kind: string,
  port: number,
  address?: string,
): Promise<void> {
  const socket = createSocket("udp4", (message, from) => {
    const answer = kind === "dns" ? dnsAnswer(message) : `${name}\n`;
    socket.send(answer, from.port, from.address);
  });
  await once(socket.bind(port, address), "listening");
}

/** Answers each question with a TXT record that has the name of the server. */
function dnsAnswer(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8400, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt32BE(0, 8);
  const text = Buffer.from(name);
  return Buffer.concat([
    header,
    query.subarray(12, end),
    Buffer.from([0xc0, 12]),
    query.subarray(end - 4, end),
    Buffer.from([0, 0, 0, 0, 0, text.length + 1, text.length]),
    text,
  ]);
}

/** A socket for both families shows an IPv4 address as an IPv6 one. */
function bare(address = ""): string {
  const text = address.replace(/^::ffff:(?=.*\.)/, "");
  return text.includes(":") ? `[${text}]` : text;
}
