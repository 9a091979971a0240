import assert from "node:assert/strict";
import { test } from "node:test";
import {
  COMMANDS,
  OPTIONS,
  type ClassicOption,
} from "../../src/grammar/options.js";
import type { Spelling } from "../../src/grammar/scanner.js";

/** Spellings as people write them, with a colon for a value and two for one that may be absent. */
function spellings(rows: readonly Spelling[]): string[] {
  return rows.flatMap(({ short = "", long, value }) => {
    const colons = value === undefined ? "" : value === "required" ? ":" : "::";
    return [...Array.from(short, (letter) => `-${letter}`), `--${long}`].map(
      (spelling) => spelling + colons,
    );
  });
}

test("the commands are those of the original", () => {
  assert.deepEqual(
    new Set(spellings(COMMANDS)),
    new Set(
      `-A --add-service -E --edit-service -D --delete-service -C --clear -R --restore -S --save
       -a --add-server -e --edit-server -d --delete-server -L -l --list -Z --zero --set
       --start-daemon: --stop-daemon: -h --help -v --version`.split(/\s+/),
    ),
  );
});

test("the options are those of the original", () => {
  assert.deepEqual(
    new Set(spellings(OPTIONS)),
    new Set(
      `-t: --tcp-service: -u: --udp-service: --sctp-service: -f: --fwmark-service: -s: --scheduler:
       -M: --netmask: -r: --real-server: -w: --weight: -x: --u-threshold: -y: --l-threshold:
       --mcast-interface: --syncid: --pe: -b: --sched-flags: --mcast-group: --mcast-port: --mcast-ttl:
       --sync-maxlen: --tun-type: --tun-port: -p:: --persistent::
       -m --masquerading -i --ipip -g --gatewaying -n --numeric -c --connection --timeout --daemon
       --stats --rate --thresholds --persistent-conn --nosort --sort -X --exact -6 --ipv6 -o --ops
       --tun-info --tun-nocsum --tun-csum --tun-remcsum`.split(/\s+/),
    ),
  );
});

test("no spelling stands for two things", () => {
  const all = spellings([...COMMANDS, ...OPTIONS]);
  assert.equal(new Set(all).size, all.length);
});

test("what takes a value says what it is called, and does something with it", () => {
  for (const row of [...COMMANDS, ...OPTIONS]) {
    assert.notEqual(row.help, "", row.long);
    if (row.value === undefined) continue;
    assert.ok(row.argument, row.long);
    const { take, takeLast = take } = row as ClassicOption;
    assert.ok(takeLast, row.long);
  }
});

test("a value that may be absent has one that stands for it", () => {
  for (const row of OPTIONS)
    assert.equal(row.value === "optional", row.fallback !== undefined);
});
