/* A failure of a transfer in a line for a person: what failed, with whom, and what there is to do. */
#ifndef AHK_EXPLAIN_H
#define AHK_EXPLAIN_H

#include "exchange.h"

enum { AHK_SHOWN_MAX = 200 };

/* What is known of a transfer that has ended; points into the exchange. */
typedef struct {
    const ahk_exchange *x;
    const ahk_request *request;
    CURLcode code;
    const char *detail;       /* libcurl's text, free of a proxy's credentials */
    char host[AHK_SHOWN_MAX]; /* with its scheme and port */
    const char *proxy;        /* the one that the request goes by, as far as that is known; NULL: none */
    char proxy_host[AHK_SHOWN_MAX];
    ahk_error *err; /* where the words go */
} ahk_facts;

/* Whether libcurl says this. */
bool ahk_facts_say(const ahk_facts *facts, const char *words);

/* Adds to the words. */
void ahk_explain(const ahk_facts *facts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each adds what there is to say of that failure. */
void ahk_explain_timeout(const ahk_facts *facts);
void ahk_explain_tls(const ahk_facts *facts);
void ahk_explain_refusal(const ahk_facts *facts); /* a proxy's */
void ahk_explain_unreachable(const ahk_facts *facts);

/* A proxy that the environment has and that is not used: often the reason why nothing can be reached. */
void ahk_explain_environment(const ahk_facts *facts);

#endif
