/*
 * estimate: about how many tokens something takes, before a provider has counted it.
 *
 * Four ASCII characters, or three bytes of other text, are taken as one token, a message as four
 * more, and an image or a document as a thousand, whatever its size. That is a little less than
 * most models count.
 */
#ifndef RUN_ESTIMATE_H
#define RUN_ESTIMATE_H

#include "model/model.h"

int64_t estimate_text(struct span text);

/* Of a neutral message; what may not be sent back (reasoning, provider_data) counts
 * nothing. The estimate is kept with the message. */
int64_t estimate_message(struct message *message);

/* Of instructions, tools, schema and messages together. */
int64_t estimate_request(const struct model_request *request);

#endif
