/*
 * limits: bounds of what a provider may send.
 */
#ifndef NET_LIMITS_H
#define NET_LIMITS_H

/* The longest line of a provider's stream. Images arrive as base64 in one line. */
enum { NET_MAX_LINE = 64 * 1024 * 1024 };

#endif
