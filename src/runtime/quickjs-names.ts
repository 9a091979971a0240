import { EINTR } from "../netlink/errno.js";
import { namesByGetent } from "../system/getent.js";
import { isAskable, systemNames, type Names } from "../system/names.js";
import { whenReadable } from "./quickjs-loop.js";

/*
 * Host names on QuickJS. The light program is linked statically, and the C library can only look up
 * names in dynamically linked programs. Therefore it runs getent(1), which is part of the C
 * library.
 */

const GETENT = "/usr/bin/getent";
/** getent's exit status for an unknown option. `-A` needs version 2.36 of the C library. */
const WRONG_USAGE = 64;
const CHUNK_BYTES = 4096;

/** The result of a run of getent. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The names that this machine knows: getent(1) and /etc/services. */
export function quickjsNames(): Names {
  const unknown = { hostName: () => Promise.resolve(undefined) };
  const getentText = async (words: readonly string[]) =>
    (await getent(words))?.text;
  return {
    ...systemNames(),
    ...namesByGetent(unknown, getentText),
    async hostAddress(name) {
      if (!isAskable(name)) return undefined;
      const question = ["ahostsv4", "--", name];
      // Without -A, getent finds nothing on a machine whose only address is 127.0.0.1.
      let answer = await getent(["-A", ...question]);
      if (answer?.status === WRONG_USAGE) answer = await getent(question);
      return answer && /^[0-9.]+/.exec(answer.text)?.[0];
    },
  };
}

/** Runs getent. @returns undefined if it is not installed */
function getent(words: readonly string[]): Promise<Answer | undefined> {
  const started = host.start([GETENT, ...words]);
  if (typeof started === "number") return Promise.resolve(undefined);
  const [process, output] = started;
  const bytes = new Uint8Array(CHUNK_BYTES);
  let text = "";
  return new Promise((resolve) => {
    const stop = whenReadable(output, () => {
      const count = host.read(output, bytes);
      if (count > 0) text += host.latin1(bytes, 0, count);
      if (count > 0 || count === -EINTR) return;
      stop();
      host.close(output);
      resolve({ status: host.wait(process), text });
    });
  });
}
