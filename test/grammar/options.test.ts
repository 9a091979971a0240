import assert from "node:assert/strict";
import { test } from "node:test";
import {
  COMMANDS,
  OPTIONS,
  type ClassicOption,
} from "../../src/grammar/options.js";
import type { OptionSyntax } from "../../src/grammar/scanner.js";

/** Options as `-x,--long`, with `:` for a required value and `::` for an optional one. */
function table(rows: readonly OptionSyntax[]): string[] {
  return rows.flatMap(({ short = "", long, value }) => {
    const colons = value === undefined ? "" : value === "required" ? ":" : "::";
    return [...Array.from(short, (letter) => `-${letter}`), `--${long}`].map(
      (spelling) => spelling + colons,
    );
  });
}

test("COMMANDS has the commands of the original", () => {
  assert.deepEqual(
    new Set(table(COMMANDS)),
    new Set(
      `-A --add-service -E --edit-service -D --delete-service -C --clear -R --restore -S --save
       -a --add-server -e --edit-server -d --delete-server -L -l --list -Z --zero --set
       --start-daemon: --stop-daemon: -h --help -v --version`.split(/\s+/),
    ),
  );
});

test("OPTIONS has the options of the original", () => {
  assert.deepEqual(
    new Set(table(OPTIONS)),
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

test("no two commands or options have the same letter or name", () => {
  const all = table([...COMMANDS, ...OPTIONS]);
  assert.equal(new Set(all).size, all.length);
});

test("every option with a value has a name for it and a function that applies it", () => {
  for (const row of [...COMMANDS, ...OPTIONS]) {
    assert.notEqual(row.help, "", row.long);
    if (row.value === undefined) continue;
    assert.ok(row.argument, row.long);
    const { apply, applyLast = apply } = row as ClassicOption;
    assert.ok(applyLast, row.long);
  }
});

test("every optional value has a fallback", () => {
  for (const row of OPTIONS)
    assert.equal(row.value === "optional", row.fallback !== undefined);
});
