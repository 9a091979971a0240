/*
 * Replaces the functions of the C library that the engine's Math object uses. The program calls none of them, and
 * bin/build-light checks that. Without them the file is a fifth smaller.
 */
#include <stdlib.h>

#define NONE(name) double name(double); double name(double value) { (void)value; abort(); }
#define NONE_OF_TWO(name) \
	double name(double, double); double name(double one, double other) { (void)one; (void)other; abort(); }

NONE(acos) NONE(acosh) NONE(asin) NONE(asinh) NONE(atan) NONE(atanh) NONE(cbrt) NONE(cos) NONE(cosh) NONE(exp) NONE(expm1)
NONE(log) NONE(log10) NONE(log1p) NONE(log2) NONE(sin) NONE(sinh) NONE(tan) NONE(tanh)
NONE_OF_TWO(atan2) NONE_OF_TWO(hypot)
