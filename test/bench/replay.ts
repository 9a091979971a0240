import { readFileSync } from "node:fs";
import type { Link } from "../../src/netlink/link.js";
import { countMessages, type Step } from "./recording.js";

/**
 * Repeats a recording over its own links, and waits where the program waited. Reads files again. Of
 * the replies it reads only the headers.
 *
 * @returns the number of messages received
 */
export async function replay(
  steps: readonly Step[],
  open: () => Link,
): Promise<number> {
  const links: Link[] = [];
  /** The last request of each socket that was answered completely */
  const answered: number[] = [];
  let messages = 0;
  const linkOf = (socket: number): Link => (links[socket] ??= open());
  for (const step of steps) {
    if (step.kind === "read") {
      readFileSync(step.file);
      continue;
    }
    const link = linkOf(step.socket);
    if (step.kind === "send") {
      link.send(step.datagram);
      continue;
    }
    while ((answered[step.socket] ?? 0) < step.sequence) {
      const received = link.receive();
      messages += countMessages(
        received instanceof Promise ? await received : received,
        (sequence) => {
          answered[step.socket] = sequence;
        },
      );
    }
  }
  for (const link of links) link.close();
  return messages;
}
