import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** A package as `npm pack` made it. */
interface Packed {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
}

function readPacked(file: string): Packed {
  const text = execFileSync("tar", ["-xzOf", file, "package/package.json"]);
  return {
    manifest: JSON.parse(text.toString()) as Manifest,
    bytes: readFileSync(file),
  };
}

/** A registry on this machine. */
export interface Registry extends AsyncDisposable {
  /** Offers the packages in a folder. The version that is offered last is the latest. */
  offer(folder: string): void;
  /** Runs npm for global packages in a folder, with packages from here. @throws if it fails */
  npm(prefix: string, ...words: readonly string[]): Promise<void>;
}

/**
 * Starts a registry that has packages of ours. For others it refers to the registry that npm uses on this machine.
 *
 * @see https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 */
export async function startRegistry(): Promise<Registry> {
  const upstream = execFileSync("npm", ["config", "get", "registry"])
    .toString()
    .trim()
    .replace(/\/$/, "");
  const offered: Packed[] = [];
  const cache = mkdtempSync(join(tmpdir(), "npm-cache."));

  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const [, name, version] =
      /^\/(ipvsadm[a-z0-9-]*)(?:\/-\/(.*)\.tgz)?$/.exec(path) ?? [];
    const packed = offered.filter(({ manifest }) => manifest.name === name);
    if (packed.length === 0) {
      response.writeHead(307, { location: upstream + path }).end();
    } else if (version === undefined) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(metadata(packed)));
    } else {
      const one = packed.find(({ manifest }) => manifest.version === version);
      response.writeHead(one ? 200 : 404).end(one?.bytes);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function metadata(packed: readonly Packed[]) {
    const versions = packed.map(({ manifest, bytes }) => ({
      ...manifest,
      dist: {
        tarball: `${url}/${manifest.name}/-/${manifest.version}.tgz`,
        integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
      },
    }));
    return {
      name: packed[0]?.manifest.name,
      "dist-tags": { latest: versions.at(-1)?.version },
      versions: Object.fromEntries(versions.map((one) => [one.version, one])),
    };
  }

  return {
    async npm(prefix, ...words) {
      await promisify(execFile)("npm", [
        ...[...words, "--global", "--prefix", prefix, "--registry", url],
        ...["--cache", cache, "--no-audit", "--no-fund"],
      ]);
    },
    offer(folder) {
      for (const file of readdirSync(folder))
        if (file.endsWith(".tgz")) offered.push(readPacked(join(folder, file)));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      rmSync(cache, { recursive: true });
    },
  };
}
