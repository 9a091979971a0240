import { X509Certificate } from "node:crypto";

/** The CN of a certificate in PEM or DER; undefined if it has none, or is no certificate. */
export function commonName(certificate: Buffer): string | undefined {
  try {
    const { subject } = new X509Certificate(certificate);
    return /^CN=(.+)$/m.exec(subject)?.[1];
  } catch {
    return undefined;
  }
}
