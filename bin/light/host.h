/* The system calls of `quickjs:host`, one file per topic. They decide nothing. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quickjs/quickjs.h>

/* The bytes of a Uint8Array. They do not move until JavaScript runs again. */
struct span {
	uint8_t *bytes;
	size_t length;
};

/*
 * Arguments. If the value is not what the name of the function says, it throws a TypeError or RangeError, and returns
 * false or NULL.
 */

/* A whole number from `least` to `most`. */
bool integer_of(JSContext *ctx, JSValueConst value, int64_t least, int64_t most, int64_t *number);
/* An open file. */
bool descriptor_of(JSContext *ctx, JSValueConst value, int *descriptor);
/* A typed array with elements of one byte. */
bool bytes_of(JSContext *ctx, JSValueConst value, struct span *span);
/* A string with one character per byte, and no zero byte, as a C string. Free it with js_free(). */
char *text_of(JSContext *ctx, JSValueConst value);
/* An array of 1 to `most` such strings, followed by NULL. Free it with free_words(). */
char **words_of(JSContext *ctx, JSValueConst value, uint32_t most);
void free_words(JSContext *ctx, char **words);

/*
 * Converts UTF-8, in which the engine returns strings, into one byte per character. Returns the number of bytes; -1 if
 * there is not enough room, or if a character does not fit in a byte.
 */
ptrdiff_t narrow(uint8_t *to, size_t room, const char *utf8, size_t length);

/* Results. */

/* The result of a system call: -errno if it returned -1. Call it immediately after the system call. */
JSValue result_of(JSContext *ctx, int64_t returned);
/* A string with one character per byte. */
JSValue text_from(JSContext *ctx, const uint8_t *bytes, size_t length);

/* The calls, by file. */
void add_bytes_calls(JSContext *ctx, JSValueConst host);
void add_file_calls(JSContext *ctx, JSValueConst host);
void add_socket_calls(JSContext *ctx, JSValueConst host);
void add_process_calls(JSContext *ctx, JSValueConst host);

/* The engine's memory. */
extern const JSMallocFunctions host_memory;

/* The command line, for `words()`. */
void set_command_line(int count, char **words);

#endif
