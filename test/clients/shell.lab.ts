import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { alike } from "./contenders.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { addRules, rules } from "./table.js";

/** A common way of using the program in scripts. */
interface Idiom {
  readonly name: string;
  readonly script: string;
  readonly prints: string;
}

/** The table at the beginning of each script. */
const TABLE = `
-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 2
-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 3
-A -u 10.0.0.2:53 -s wlc -p 60
-a -u 10.0.0.2:53 -r 10.1.1.3:53 -i -w 1
-A -t [2001:db8::1]:443 -s wrr
-a -t [2001:db8::1]:443 -r [2001:db8:1::1]:8443 -m -w 1
-A -f 7 -s sh
-a -f 7 -r 10.1.1.4:0 -g -w 0
`;

const READING: readonly Idiom[] = [
  {
    name: "awk lists real servers and weights",
    script: `
      ipvsadm -Ln | awk '
        /^(TCP|UDP|FWM)/ { service = $2 }
        $1 == "->" && $2 ~ /[0-9]/ { print service, $2, $4 }'`,
    prints: `10.0.0.1:80 10.1.1.1:80 2
10.0.0.1:80 10.1.1.2:80 3
10.0.0.2:53 10.1.1.3:53 1
[2001:db8::1]:443 [2001:db8:1::1]:8443 1
7 10.1.1.4:0 0
`,
  },
  {
    name: "grep counts services",
    script: `
      ipvsadm -Ln | grep -c '^TCP\\|^UDP'
      echo "$(ipvsadm -L -n | grep -v '^ ' | wc -l) lines that are not of real servers"`,
    prints: "3\n6 lines that are not of real servers\n",
  },
  {
    name: "tail removes the header",
    script: `
      services=$(ipvsadm -ln | sed -n '4,$p' | awk '/^[A-Z]/ {print $1 "/" $2}')
      for service in $services; do echo "<$service>"; done`,
    prints:
      "<TCP/10.0.0.1:80>\n<UDP/10.0.0.2:53>\n<TCP/[2001:db8::1]:443>\n<FWM/7>\n",
  },
  {
    name: "the real servers of one service",
    script: `
      for server in $(ipvsadm -ln -t 10.0.0.1:80 | awk 'NR > 3 {print $2}' | cut -d: -f1); do
        echo "asking $server"
      done`,
    prints: "asking 10.1.1.1\nasking 10.1.1.2\n",
  },
  {
    name: "a loop waits for the last connection of a server",
    script: `
      until [ "$(ipvsadm -Ln | awk '$2 == "10.1.1.1:80" {print $5 + $6}')" = 0 ]; do sleep 1; done
      echo drained`,
    prints: "drained\n",
  },
  {
    name: "awk takes the timeouts by their column",
    script: `
      ipvsadm --set 11 12 13
      timeouts=$(ipvsadm -l --timeout)
      awk '{print $5}' <<<"$timeouts"; awk '{print $NF}' <<<"$timeouts"`,
    prints: "11\n13\n",
  },
  {
    name: "counters are reset and added up",
    script: `
      ipvsadm -Z && ipvsadm -Ln --stats --exact | awk 'NR > 3 {sum += $3; n++} END {print n, sum}'`,
    prints: "9 0\n",
  },
  {
    name: "the saved rules are as expected",
    script: `
      ipvsadm -Sn >wanted
      diff wanted <(ipvsadm -S -n) && echo "nothing to do, $(grep -c . wanted) rules are in place"`,
    prints: "nothing to do, 9 rules are in place\n",
  },
];

const CHANGING: readonly Idiom[] = [
  {
    name: "a service is added unless it exists",
    script: `
      for service in 10.0.0.1:80 10.0.0.9:80; do
        if ipvsadm -Ln -t $service >/dev/null 2>&1; then
          echo "$service is there"
        else
          ipvsadm -A -t $service -s wlc && echo "$service added"
        fi
      done`,
    prints: "10.0.0.1:80 is there\n10.0.0.9:80 added\n",
  },
  {
    name: "set -e ends a script at the first error",
    script: `
      trap 'echo "ended with $?"' EXIT
      set -e
      ipvsadm -D -t 10.0.0.9:80 || echo "no such service, never mind"
      ipvsadm -A -t 10.0.0.9:80
      ipvsadm -A -t 10.0.0.9:80
      echo not reached`,
    prints: "no such service, never mind\nended with 255\n",
  },
  {
    name: "exit statuses distinguish errors",
    script: `
      status() { "$@" 2>/dev/null; echo $?; }
      status ipvsadm -a -t 10.0.0.1:80 -r 10.1.1.1 -m
      status ipvsadm -a -t 10.0.0.1:80 -r 10.1.1.9 -w many
      status ipvsadm -Q
      status ipvsadm -Ln -t 10.0.0.9:80`,
    prints: "255\n2\n255\n1\n",
  },
  {
    name: "a loop sets the weight of every server to 0",
    // The command in the loop inherits the rules as standard input, and must not read them.
    script: `
      ipvsadm -Sn | grep -e '^-a -t 10.0.0.1:80 ' | while read -r _ rule; do
        ipvsadm -e \${rule% -w *} -w 0 && echo "changed: $rule"
      done`,
    prints: `changed: -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 2
changed: -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 3
`,
  },
  {
    name: "xargs deletes the servers of weight 0",
    script: `
      ipvsadm -Ln | awk '$1 == "->" && $4 == "0" {print $2}' | xargs -r -n 1 ipvsadm -d -f 7 -r
      echo "\${PIPESTATUS[@]}"`,
    prints: "0 0 0\n",
  },
  {
    name: "sed changes the address of a service",
    script: `
      ipvsadm -Sn | grep -F ' 10.0.0.1:' | sed 's/10.0.0.1:/10.0.0.9:/' | ipvsadm -R
      echo "\${PIPESTATUS[@]}"`,
    prints: "0 0 0 0\n",
  },
  {
    name: "rules are read from a here-document",
    script: `
      vip=10.0.0.9
      ipvsadm -R <<END
-A -t $vip:0 -s wrr -p 360
-a -t $vip:0 -r 10.1.1.5:0 -g -w 3
-a -t $vip:0 -r 10.1.1.6:0 -g -w 3
END
      echo $?`,
    prints: "0\n",
  },
  {
    name: "rules may be whole commands with indentation",
    script: `
      echo "
        ipvsadm -C
        ipvsadm -A -t 10.0.0.9:80 -s rr
        ipvsadm -a -t 10.0.0.9:80 -r 10.1.1.5:8080 -m
      " | ipvsadm -R
      echo $?`,
    prints: "0\n",
  },
  {
    name: "a script redirects an error message",
    script: `
      ipvsadm -d -t 10.0.0.1:80 -r 10.1.1.9 2>&1 | sed 's/^/lvs: /'
      error=$(ipvsadm -a -t 10.0.0.9:80 -r 10.1.1.9 2>&1 >/dev/null) || echo "failed: $error"`,
    prints: "lvs: No such destination\nfailed: Service not defined\n",
  },
  {
    name: "commands run in parallel",
    script: `
      for mark in 101 102 103; do ipvsadm -A -f $mark & done
      wait
      ipvsadm -Sn | grep -c -e '^-A -f 10[123] '`,
    prints: "3\n",
  },
];

const KEEPING: readonly Idiom[] = [
  {
    name: "rules are saved to a file and restored",
    script: `
      ipvsadm -Sn > rules; ipvsadm -C; ipvsadm -R < rules
      ipvsadm -Sn | cmp - rules && grep -c . rules`,
    prints: "9\n",
  },
  {
    name: "a systemd unit calls ipvsadm-save and ipvsadm-restore",
    script: `
      /bin/bash -c "exec /sbin/ipvsadm-save -n > rules"
      /sbin/ipvsadm -C
      /bin/bash -c "exec /sbin/ipvsadm-restore < rules" && grep -c . rules`,
    prints: "9\n",
  },
  {
    name: "ipvsadm-restore replaces the table and ignores comments",
    script: `
      ipvsadm-restore <<END
# made by hand
-A -t 10.0.0.9:80 -s rr

-a -t 10.0.0.9:80 -r 10.1.1.5:80 -m -w 4
END
      echo $?`,
    prints: "0\n",
  },
  {
    name: "a table is copied into another network namespace",
    script: `
      ip netns add other && ip -n other link set lo up
      ipvsadm -Sn | ip netns exec other ipvsadm -R
      ip netns exec other ipvsadm-save -n | sort >copy
      ip netns del other
      ipvsadm-save -n | sort | diff - copy && grep -c . copy`,
    prints: "9\n",
  },
];

const STREAMS: readonly Idiom[] = [
  {
    name: "the environment is nearly empty, as in cron",
    script: `env -i /usr/sbin/ipvsadm -Sn | tail -1; echo "\${PIPESTATUS[0]}"`,
    prints: "-a -f 7 -r 10.1.1.4:0 -g -w 0\n0\n",
  },
  {
    name: "standard input is closed",
    script: `ipvsadm -Sn <&- | tail -1; ipvsadm -R <&-; echo $?`,
    prints: "-a -f 7 -r 10.1.1.4:0 -g -w 0\n0\n",
  },
  {
    name: "standard output is closed or full",
    script: `ipvsadm -Ln >&-; echo $?; ipvsadm -Ln >/dev/full; echo $?`,
    prints: "0\n0\n",
  },
];

/** A table whose listing and rules exceed the 64 KiB of a pipe by more than head or grep read at once. */
const LARGE_TABLE = Array.from({ length: 2400 }, (_, i) => {
  const service = `-t 10.0.${i >> 8}.${i & 255}:80`;
  return `-A ${service} -s rr\n-a ${service} -r 10.1.1.1:80 -m -w 1\n`;
}).join("");

const LARGE: readonly Idiom[] = [
  {
    name: "the program ends quietly if head stops reading",
    script: `
      ipvsadm -Ln | head -1 | cut -d' ' -f1-3
      ipvsadm -Ln | grep -q '^TCP'; echo "\${PIPESTATUS[@]}"
      ipvsadm -Sn | true; echo "\${PIPESTATUS[@]}"`,
    prints: "IP Virtual Server\n141 0\n141 0\n",
  },
  {
    name: "set -o pipefail reports that head stopped reading",
    script: `
      set -eo pipefail
      first=$(ipvsadm -Sn | head -1) || echo "ended with $?"
      echo "$first"`,
    prints: "ended with 141\n-A -t 10.0.0.0:80 -s rr\n",
  },
  {
    name: "a slow reader gets everything",
    script: `ipvsadm -Ln | { read -r _; sleep 1; grep -c '^TCP'; }`,
    prints: "2400\n",
  },
  {
    name: "rules are written to a file and read back",
    script: `
      ipvsadm -Sn > rules; ipvsadm -C; ipvsadm -R < rules
      ipvsadm -Sn | cmp - rules && grep -c . rules`,
    prints: "4800\n",
  },
  {
    name: "rules are piped back into their own table",
    script: `ipvsadm-save -n | sed 's/ -s rr/ -s wrr/' | ipvsadm-restore; echo "\${PIPESTATUS[@]}"`,
    prints: "0 0 0\n",
  },
];

suite("shell scripts", { skip: unprepared() }, () => {
  idioms("that read the table", READING, TABLE);
  idioms("that change the table", CHANGING, TABLE);
  idioms("that keep the table", KEEPING, TABLE);
  idioms("that care little for standard streams", STREAMS, TABLE);
  idioms("for which the table is larger than a pipe", LARGE, LARGE_TABLE);
});

/** Creates one test per script: output, messages and effects are the same with both programs. */
function idioms(name: string, all: readonly Idiom[], table: string): void {
  suite(name, () => {
    for (const { name, script, prints } of all)
      test(name, async () => {
        const { stdout } = await alike(async () => {
          await addRules(table);
          return { ...bash(script), table: await rules() };
        });
        assert.equal(stdout, prints);
      });
  });
}
