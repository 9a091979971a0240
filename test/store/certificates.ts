import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority for tests, in a folder of its own. */
export class TestCertificates {
  readonly folder = mkdtempSync(join(tmpdir(), "ipvsadm-certificates-"));
  readonly authority = join(this.folder, "authority.pem");
  readonly server: CertificateFiles;

  constructor() {
    const key = join(this.folder, "authority.key");
    openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
      ],
      ...["-nodes", "-keyout", key, "-out", this.authority, "-days", "2"],
      ...["-subj", "/CN=test authority"],
    );
    this.server = this.#issue(
      "server",
      "subjectAltName=IP:127.0.0.1,DNS:localhost",
    );
  }

  /** The certificate of a client. Its CN is the name. */
  client(name: string): CertificateFiles {
    const files = this.#paths(name);
    return existsSync(files.certificate)
      ? files
      : this.#issue(name, "extendedKeyUsage=clientAuth");
  }

  #paths(name: string): CertificateFiles {
    return {
      certificate: join(this.folder, `${name}.pem`),
      key: join(this.folder, `${name}.key`),
    };
  }

  #issue(name: string, extension: string): CertificateFiles {
    const { certificate, key } = this.#paths(name);
    const request = join(this.folder, `${name}.csr`);
    const extensions = join(this.folder, `${name}.ext`);
    writeFileSync(extensions, `${extension}\n`);
    openssl(
      ...[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
      ],
      ...["-keyout", key, "-out", request, "-subj", `/CN=${name}`],
    );
    openssl(
      ...["x509", "-req", "-in", request, "-CA", this.authority],
      ...["-CAkey", join(this.folder, "authority.key"), "-CAcreateserial"],
      ...["-out", certificate, "-days", "2", "-extfile", extensions],
    );
    return { certificate, key };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
