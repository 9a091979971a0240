/**
 * The system calls of the light program, which runs on QuickJS. bin/light implements them in C,
 * without further logic. Each call checks its arguments, and throws a TypeError or RangeError if
 * they are invalid. A failed call returns the negative errno. Strings have one character per byte.
 */
declare const host: {
  /** Converts bytes to text. */
  latin1(bytes: Uint8Array, start: number, end: number): string;
  /** Writes a text into a buffer, which must be large enough. @returns the number of bytes */
  putLatin1(bytes: Uint8Array, at: number, text: string): number;
  /** Allocates zeros. They take memory only where they are used. */
  room(bytes: number): ArrayBuffer;

  /** Opens a file for reading. */
  open(path: string): number;
  close(descriptor: number): number;
  read(descriptor: number, bytes: Uint8Array): number;
  write(descriptor: number, bytes: Uint8Array): number;
  /** The size of a regular file; -ESPIPE for others. */
  fileSize(descriptor: number): number;
  isTerminal(descriptor: number): boolean;
  /** The target of a symbolic link. */
  readLink(path: string): string | number;
  /** Milliseconds since an arbitrary moment; never decreases. */
  now(): number;

  socket(family: number, type: number, protocol: number): number;
  /** @param address a struct sockaddr */
  connect(socket: number, address: Uint8Array): number;
  /** @param value SO_RCVTIMEO: in seconds */
  setOption(socket: number, level: number, name: number, value: number): number;
  option(socket: number, level: number, name: number): number;
  send(socket: number, datagram: Uint8Array): number;
  /**
   * Receives the available datagrams, as many as fit.
   *
   * @param bytes the buffer, divided into equal parts, one per datagram
   * @param lengths receives the lengths of the datagrams; -1 for one that was cut short
   * @returns the number of datagrams
   */
  receive(
    socket: number,
    bytes: Uint8Array,
    lengths: Int32Array,
    flags: number,
  ): number;

  /** The command line, including the program's name. */
  words(): string[];
  environment(name: string): string | undefined;
  /** Whether the executable gave the process privileges, by setuid, setgid or capabilities. */
  hasMoreRightsThanCaller(): boolean;
  exit(status: number): never;
  /** Executes another program in place of this one. @returns only on failure */
  exec(path: string, words: readonly string[]): number;
  /** Runs a program and waits for its end. @returns its exit status */
  run(words: readonly string[]): number;
  /** Starts a program. @returns its process ID, and a pipe with its output */
  start(words: readonly string[]): [process: number, output: number] | number;
  /** Waits for the end of a program. @returns its exit status */
  wait(process: number): number;
  /**
   * Waits until one of several open files is readable, or the time is over.
   *
   * @param milliseconds the timeout; negative waits without limit
   * @returns the index of the first readable file; -1 if there is none
   */
  poll(descriptors: readonly number[], milliseconds: number): number;
};
