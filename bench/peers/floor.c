/* The floor of the batches: the same job in C, with OpenSSL and libcurl alone. Threads sign and verify, one multi
 * handle sends; nothing is checked, retried or kept in order.
 *
 *     floor URL CA PRIVATE_KEY PUBLIC_KEY CLIENT_ID ORDERS AT_ONCE THREADS
 *
 * Prints the seconds that it took. Without threads the one that sends does everything. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, SIGNATURE_MAX = 512, THREADS_MAX = 64 };

typedef struct job {
    struct job *next;
    bool is_verification;
    CURL *easy;
    struct curl_slist *headers;
    char body[1024];
    char answer[1024];
    size_t answered;
    char time[40];        /* Request-Time, then Response-Time */
    char signature[2400]; /* of the header, then of the answer's */
} job;

typedef struct {
    job *first;
    job **last;
} queue;

static struct {
    const char *url, *ca, *client_id;
    const char *path;
    EVP_PKEY *own, *theirs;
    const EVP_MD *digest;
    const char *algorithm;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    queue todo, done;
    int ended; /* an eventfd */
    bool is_over;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .wanted = PTHREAD_COND_INITIALIZER};

static void fail(const char *what)
{
    (void)fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(queue *q, job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static job *take(queue *q)
{
    job *j = q->first;
    if (j != NULL) {
        q->first = j->next;
        if (q->first == NULL) {
            q->last = &q->first;
        }
    }
    return j;
}

/* ---- signing and verifying ---------------------------------------------------------------------- */

static size_t content_of(const job *j, const char *body, size_t length, char *out)
{
    const int n =
        snprintf(out, TEXT_MAX, "POST %s\n%s.%s.%.*s", world.path, world.client_id, j->time, (int)length, body);
    return n > 0 && n < TEXT_MAX ? (size_t)n : 0;
}

static void percent_encode(const char *in, char *out)
{
    for (; *in != '\0'; in++) {
        if (*in == '+' || *in == '/' || *in == '=') {
            out += sprintf(out, "%%%02X", (unsigned)*in);
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

static void percent_decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        unsigned value = 0;
        if (*in == '%' && sscanf(in + 1, "%2x", &value) == 1) {
            *out++ = (char)value;
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

static struct curl_slist *append(struct curl_slist *list, const char *format, const char *value)
{
    char line[2600];
    (void)snprintf(line, sizeof line, format, value);
    return curl_slist_append(list, line);
}

static void sign(job *j, EVP_MD_CTX *ctx)
{
    char content[TEXT_MAX];
    unsigned char signature[SIGNATURE_MAX];
    char base64[SIGNATURE_MAX * 2];
    char encoded[SIGNATURE_MAX * 4];
    size_t length = sizeof signature;
    const time_t now = time(NULL);
    struct tm parts;
    (void)strftime(j->time, sizeof j->time, "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&now, &parts));
    const size_t size = content_of(j, j->body, strlen(j->body), content);
    if (EVP_DigestSignInit(ctx, NULL, world.digest, NULL, world.own) != 1 ||
        EVP_DigestSign(ctx, signature, &length, (const unsigned char *)content, size) != 1) {
        fail("cannot sign");
    }
    (void)EVP_EncodeBlock((unsigned char *)base64, signature, (int)length);
    percent_encode(base64, encoded);
    (void)snprintf(j->signature, sizeof j->signature, "algorithm=%s,keyVersion=1,signature=%s", world.algorithm,
                   encoded);
    j->headers = append(NULL, "Client-Id: %s", world.client_id);
    j->headers = append(j->headers, "Content-Type: %s", "application/json; charset=UTF-8");
    j->headers = append(j->headers, "Request-Time: %s", j->time);
    j->headers = append(j->headers, "Signature: %s", j->signature);
}

static void verify(job *j, EVP_MD_CTX *ctx)
{
    char content[TEXT_MAX];
    unsigned char signature[SIGNATURE_MAX * 2];
    char *base64 = strstr(j->signature, "signature=");
    if (base64 == NULL || strstr(j->answer, "\"resultStatus\":\"S\"") == NULL) {
        fail("an answer is no success");
    }
    base64 += strlen("signature=");
    percent_decode(base64);
    const size_t length = strlen(base64);
    int size = EVP_DecodeBlock(signature, (const unsigned char *)base64, (int)length);
    for (size_t i = length; i > 0 && base64[i - 1] == '='; i--) {
        size--;
    }
    const size_t signed_size = content_of(j, j->answer, j->answered, content);
    if (size <= 0 || EVP_DigestVerifyInit(ctx, NULL, world.digest, NULL, world.theirs) != 1 ||
        EVP_DigestVerify(ctx, signature, (size_t)size, (const unsigned char *)content, signed_size) != 1) {
        fail("an answer does not verify");
    }
}

static void work_on(job *j, EVP_MD_CTX *ctx)
{
    if (j->is_verification) {
        verify(j, ctx);
    } else {
        sign(j, ctx);
    }
    (void)EVP_MD_CTX_reset(ctx);
}

static void *worker(void *unused)
{
    const uint64_t one = 1;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    (void)pthread_mutex_lock(&world.lock);
    while (!world.is_over) {
        job *j = take(&world.todo);
        if (j == NULL) {
            (void)pthread_cond_wait(&world.wanted, &world.lock);
            continue;
        }
        (void)pthread_mutex_unlock(&world.lock);
        work_on(j, ctx);
        (void)pthread_mutex_lock(&world.lock);
        const bool was_empty = world.done.first == NULL;
        put(&world.done, j);
        if (was_empty && write(world.ended, &one, sizeof one) < 0) {
            fail("cannot wake");
        }
    }
    (void)pthread_mutex_unlock(&world.lock);
    EVP_MD_CTX_free(ctx);
    return unused;
}

static void submit(job *j)
{
    (void)pthread_mutex_lock(&world.lock);
    put(&world.todo, j);
    (void)pthread_cond_signal(&world.wanted);
    (void)pthread_mutex_unlock(&world.lock);
}

/* ---- sending ------------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    job *j = user;
    const size_t length = size * count;
    if (j->answered + length >= sizeof j->answer) {
        return 0;
    }
    (void)memcpy(j->answer + j->answered, data, length);
    j->answered += length;
    j->answer[j->answered] = '\0';
    return length;
}

static void keep(const char *line, size_t length, const char *name, char *out, size_t room)
{
    const size_t prefix = strlen(name);
    if (length > prefix && strncasecmp(line, name, prefix) == 0) {
        const size_t n = length - prefix < room ? length - prefix : room - 1;
        (void)memcpy(out, line + prefix, n);
        out[n] = '\0';
        out[strcspn(out, "\r\n")] = '\0';
    }
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    job *j = user;
    keep(data, size * count, "response-time: ", j->time, sizeof j->time);
    keep(data, size * count, "signature: ", j->signature, sizeof j->signature);
    return size * count;
}

static void prepare(job *j, long number)
{
    unsigned char id[16];
    char hex[33];
    if (RAND_bytes(id, sizeof id) != 1) {
        fail("no random bytes");
    }
    for (size_t i = 0; i < sizeof id; i++) {
        (void)sprintf(hex + 2 * i, "%02x", id[i]);
    }
    (void)snprintf(j->body, sizeof j->body,
                   "{\"requestId\":\"%s\",\"merchantBizNo\":\"BENCH-%ld\",\"merchantBizType\":\"MOVIE_TICKET\","
                   "\"orderStatus\":\"TICKETED\",\"userId\":\"2160120012345678\",\"orderCreateTime\":1716338541000,"
                   "\"orderModifyTime\":%lld000,\"extInfo\":{}}",
                   hex, number, (long long)time(NULL));
    j->is_verification = false;
    j->answered = 0;
}

static void start(CURLM *multi, job *j)
{
    if (j->easy == NULL) {
        j->easy = curl_easy_init();
        (void)curl_easy_setopt(j->easy, CURLOPT_URL, world.url);
        (void)curl_easy_setopt(j->easy, CURLOPT_CAINFO, world.ca);
        (void)curl_easy_setopt(j->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        (void)curl_easy_setopt(j->easy, CURLOPT_PIPEWAIT, 1L);
        (void)curl_easy_setopt(j->easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(j->easy, CURLOPT_TIMEOUT, 30L);
        (void)curl_easy_setopt(j->easy, CURLOPT_WRITEFUNCTION, on_body);
        (void)curl_easy_setopt(j->easy, CURLOPT_WRITEDATA, j);
        (void)curl_easy_setopt(j->easy, CURLOPT_HEADERFUNCTION, on_header);
        (void)curl_easy_setopt(j->easy, CURLOPT_HEADERDATA, j);
        (void)curl_easy_setopt(j->easy, CURLOPT_PRIVATE, j);
    }
    (void)curl_easy_setopt(j->easy, CURLOPT_POSTFIELDS, j->body);
    (void)curl_easy_setopt(j->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(j->body));
    (void)curl_easy_setopt(j->easy, CURLOPT_HTTPHEADER, j->headers);
    if (curl_multi_add_handle(multi, j->easy) != CURLM_OK) {
        fail("cannot add");
    }
}

typedef struct {
    CURLM *multi;
    EVP_MD_CTX *ctx; /* where there are no threads */
    int threads;
    long left; /* orders to begin */
    long under_way;
    long number;
} batch;

static void begin(batch *b, job *j);

/* A job that was worked on goes on its way: it is sent, or is finished and begins anew. */
static void go_on(batch *b, job *j)
{
    if (!j->is_verification) {
        start(b->multi, j);
        return;
    }
    b->under_way--;
    begin(b, j);
}

static void submit_or_work(batch *b, job *j)
{
    if (b->threads > 0) {
        submit(j);
    } else {
        work_on(j, b->ctx);
        go_on(b, j);
    }
}

static void begin(batch *b, job *j)
{
    if (b->left > 0) {
        b->left--;
        b->under_way++;
        prepare(j, b->number++);
        submit_or_work(b, j);
    }
}

static void collect(batch *b)
{
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(b->multi, &left)) != NULL) {
        job *j = NULL;
        if (message->data.result != CURLE_OK) {
            fail(curl_easy_strerror(message->data.result));
        }
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &j);
        (void)curl_multi_remove_handle(b->multi, j->easy);
        curl_slist_free_all(j->headers);
        j->is_verification = true;
        submit_or_work(b, j);
    }
}

static void hear(batch *b)
{
    uint64_t count = 0;
    (void)!read(world.ended, &count, sizeof count);
    (void)pthread_mutex_lock(&world.lock);
    job *j = world.done.first;
    world.done = (queue){NULL, &world.done.first};
    (void)pthread_mutex_unlock(&world.lock);
    while (j != NULL) {
        job *next = j->next;
        go_on(b, j);
        j = next;
    }
}

static void run(batch *b, int at_once)
{
    job *jobs = calloc((size_t)at_once, sizeof *jobs);
    for (int i = 0; i < at_once && b->left > 0; i++) {
        begin(b, &jobs[i]);
    }
    while (b->under_way > 0) {
        int running = 0;
        struct curl_waitfd other = {.fd = world.ended, .events = CURL_WAIT_POLLIN};
        (void)curl_multi_perform(b->multi, &running);
        collect(b);
        hear(b);
        if (b->under_way > 0) {
            (void)curl_multi_poll(b->multi, &other, 1, 1000, NULL);
        }
    }
    for (int i = 0; i < at_once; i++) {
        curl_easy_cleanup(jobs[i].easy);
    }
    free(jobs);
}

static EVP_PKEY *read_key(const char *path, bool is_private)
{
    FILE *file = fopen(path, "rb");
    EVP_PKEY *key = NULL;
    if (file != NULL) {
        key = is_private ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : PEM_read_PUBKEY(file, NULL, NULL, NULL);
        (void)fclose(file);
    }
    if (key == NULL) {
        fail("cannot read a key");
    }
    return key;
}

int main(int count, char **words)
{
    if (count != 9) {
        fail("floor URL CA PRIVATE_KEY PUBLIC_KEY CLIENT_ID ORDERS AT_ONCE THREADS");
    }
    (void)curl_global_init(CURL_GLOBAL_ALL);
    world.url = words[1];
    world.path = strchr(words[1] + strlen("https://"), '/');
    world.ca = words[2];
    world.own = read_key(words[3], true);
    world.theirs = read_key(words[4], false);
    world.client_id = words[5];
    const bool is_rsa = EVP_PKEY_get_base_id(world.own) == EVP_PKEY_RSA;
    world.digest = is_rsa ? EVP_sha256() : EVP_sha224();
    world.algorithm = is_rsa ? "RSA256" : "ECC224";
    world.todo.last = &world.todo.first;
    world.done.last = &world.done.first;
    world.ended = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const int threads = atoi(words[8]) < THREADS_MAX ? atoi(words[8]) : THREADS_MAX;
    pthread_t ids[THREADS_MAX];
    for (int i = 0; i < threads; i++) {
        (void)pthread_create(&ids[i], NULL, worker, NULL);
    }
    batch b = {.multi = curl_multi_init(), .ctx = EVP_MD_CTX_new(), .threads = threads};
    b.left = 200; /* the connection, and whatever is made at first use */
    run(&b, atoi(words[7]));
    b.left = atol(words[6]);
    const double began = seconds();
    run(&b, atoi(words[7]));
    (void)printf("%.6f\n", seconds() - began);
    (void)pthread_mutex_lock(&world.lock);
    world.is_over = true;
    (void)pthread_cond_broadcast(&world.wanted);
    (void)pthread_mutex_unlock(&world.lock);
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
    }
    (void)curl_multi_cleanup(b.multi);
    return 0;
}
