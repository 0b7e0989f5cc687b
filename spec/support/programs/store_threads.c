/* Databases in threads, for ThreadSanitizer: store_threads PATH ROUNDS. Each thread opens the file again and again,
 * puts rows under the lock and reads, while another forks children that end at once. Prints how many rows there have to
 * be. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../csrc/store/database.h"
#include "../../../csrc/store/statement.h"

enum { THREADS = 4, PUTS = 20, LOCK_MS = 20000 };

static const ahk_database_options OPTIONS = {.lock_ms = LOCK_MS};

static const char *path;
static int rounds;
static atomic_int complaints;
static atomic_bool is_over;

static ahk_slice sql(const char *text)
{
    return (ahk_slice){(const unsigned char *)text, strlen(text)};
}

static void complain(const ahk_store_fault *fault)
{
    complaints++;
    (void)fprintf(stderr, "%s: %s\n", fault->code, fault->message.text);
}

static bool put(ahk_database *database, ahk_statement *insert, ahk_store_fault *fault)
{
    const ahk_value value = {.type = AHK_INTEGER, .as.integer = 1};
    return ahk_database_lock(database, fault) && ahk_database_execute(database, sql("BEGIN IMMEDIATE"), fault) &&
           ahk_statement_run(insert, &value, AHK_NO_ROWS, NULL, fault) &&
           ahk_database_execute(database, sql("COMMIT"), fault) && ahk_database_unlock(database, fault);
}

static bool count(ahk_database *database, ahk_store_fault *fault)
{
    ahk_rows rows = {0};
    ahk_statement *reading = ahk_statement_new(database, sql("SELECT count(*) FROM t"), fault);
    const bool done = reading != NULL && ahk_statement_run(reading, NULL, AHK_ALL_ROWS, &rows, fault);
    ahk_statement_free(reading);
    ahk_rows_free(&rows);
    return done;
}

static bool use(ahk_database *database, ahk_statement *insert, ahk_store_fault *fault)
{
    bool done = insert != NULL && ahk_database_claim(database, fault) != AHK_CLAIM_FAILED;
    for (int i = 0; i < PUTS && done; i++) {
        done = put(database, insert, fault);
    }
    return done && count(database, fault);
}

static void *work(void *argument)
{
    (void)argument;
    for (int i = 0; i < rounds; i++) {
        ahk_store_fault fault = AHK_STORE_FAULT_INIT;
        ahk_database *database = ahk_database_open(path, OPTIONS, &fault);
        ahk_statement *insert =
            database != NULL ? ahk_statement_new(database, sql("INSERT INTO t VALUES(?)"), &fault) : NULL;
        if (database == NULL || !use(database, insert, &fault)) {
            complain(&fault);
        }
        ahk_database_close(database);
        ahk_statement_free(insert);
    }
    return NULL;
}

static void *fork_children(void *argument)
{
    (void)argument;
    while (!is_over) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        (void)waitpid(child, NULL, 0);
        (void)usleep(2000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    pthread_t forker;
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    path = argc > 2 ? argv[1] : "";
    rounds = argc > 2 ? atoi(argv[2]) : 0;
    ahk_database *first = ahk_database_open(path, OPTIONS, &fault);
    if (first == NULL || !ahk_database_lock(first, &fault) ||
        !ahk_database_execute(first, sql("CREATE TABLE t(v)"), &fault) || !ahk_database_unlock(first, &fault)) {
        complain(&fault);
        return 1;
    }
    (void)pthread_create(&forker, NULL, fork_children, NULL);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, work, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    is_over = true;
    (void)pthread_join(forker, NULL);
    ahk_database_close(first);
    printf("%d rows, %d complaints\n", THREADS * PUTS * rounds, complaints);
    return complaints > 0;
}
