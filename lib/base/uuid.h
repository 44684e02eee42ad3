/*
 * uuid: ids of runs.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

/* A new UUIDv7 (RFC 9562, section 5.7): 36 characters and a NUL. */
void uuid_v7(char out[37]);

#endif
