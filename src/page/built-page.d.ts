/** The page, as bin/page/build.js builds it. `#page` in package.json names the built file. */
export declare const PAGE: {
  readonly html: string;
  /** The hashes of its script and its style, for the Content-Security-Policy: `'sha256-…'` */
  readonly scriptHash: string;
  readonly styleHash: string;
};
