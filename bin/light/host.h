/* What the program asks of the system: the calls behind `quickjs:host`, a file a concern. They decide nothing. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quickjs/quickjs.h>

/* The bytes of a Uint8Array. They stay where they are until JavaScript runs again. */
struct span {
	uint8_t *bytes;
	size_t length;
};

/*
 * Arguments. Each of these throws a TypeError or RangeError, and returns false or NULL, unless the value is what its
 * name says.
 */

/* A whole number from `least` to `most`. */
bool integer_of(JSContext *ctx, JSValueConst value, int64_t least, int64_t most, int64_t *number);
/* An open file. */
bool descriptor_of(JSContext *ctx, JSValueConst value, int *descriptor);
/* A typed array with elements of one byte. */
bool bytes_of(JSContext *ctx, JSValueConst value, struct span *span);
/* A string with one character a byte, and no zero byte, as a C string. To be freed with js_free(). */
char *text_of(JSContext *ctx, JSValueConst value);
/* An array of 1 to `most` such strings, with a NULL behind them. To be freed with free_words(). */
char **words_of(JSContext *ctx, JSValueConst value, uint32_t most);
void free_words(JSContext *ctx, char **words);

/*
 * Turns UTF-8, as the engine hands out strings, into one byte a character. Returns how many bytes there are; -1 if there
 * is no room for them, or a character that is no byte.
 */
ptrdiff_t narrow(uint8_t *to, size_t room, const char *utf8, size_t length);

/* Results. */

/* What a system call returned: -errno if that is -1. Call it at once. */
JSValue result_of(JSContext *ctx, int64_t returned);
/* A string with one character a byte. */
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
