import { readFileSync } from "node:fs";
import type { Link } from "../../src/netlink/link.js";
import { countMessages, type Step } from "./recording.js";

/**
 * Says again what was recorded, over links of its own, and waits where the program waited. Files are read again. Of what comes
 * back nothing is read but the headers that tell where a message ends.
 *
 * @returns how many messages came back
 */
export async function replay(
  steps: readonly Step[],
  open: () => Link,
): Promise<number> {
  const links: Link[] = [];
  /** The last request of each socket that was answered to its end */
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
