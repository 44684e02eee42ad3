/* The same for machines without SSE2. */
#undef __SSE2__
#include "scan.c" /* NOLINT(bugprone-suspicious-include) */
