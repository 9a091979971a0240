/* Functions that the C library has since 2.38, for a libquickjs that was built with a newer C library than this machine has. */
#include <stdlib.h>

long __isoc23_strtol(const char *text, char **end, int base);

__attribute__((weak)) long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}
