/* The engines core and model side by side: after every step of random sequences they must have said the same.
 *
 *   client_test_differential [SEQUENCES [FIRST]]     SYNCLINE_DIFFERENTIAL_SECONDS stops earlier
 *
 * A sequence that shows a difference is told with its number and steps; the number alone repeats it. */
#include <time.h>

#include "sequence.h"

static unsigned long long n_sequences = 300, first_sequence = 1;

static double seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static sqlite3_stmt *read_table(sqlite3 *database, const struct client_table *table) {
    sqlite3_stmt *statement = NULL;
    char *sql = memory_format("SELECT * FROM %s ORDER BY id", table->name);

    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    free(sql);
    return statement;
}

/* What the app would read by SQL, of both engines. */
static void compare_tables(struct sequence *sequence, const struct client_table *table) {
    struct buffer one = {0}, other = {0};
    sqlite3_stmt *core = read_table(sequence->engine->operations->database(sequence->engine), table);
    sqlite3_stmt *model = read_table(engine_both_model_database(sequence->engine), table);
    int stepped = SQLITE_ROW;

    while (stepped == SQLITE_ROW) {
        stepped = sqlite3_step(core);
        assert_int_equal(sqlite3_step(model), stepped);
        if (stepped != SQLITE_ROW)
            break;
        buffer_clear(&one);
        buffer_clear(&other);
        row_text_append(&one, core, 0);
        row_text_append(&other, model, 0);
        assert_string_equal(buffer_text(&one), buffer_text(&other));
    }
    sqlite3_finalize(core);
    sqlite3_finalize(model);
    buffer_free(&one);
    buffer_free(&other);
}

static void compare_schema(struct sequence *sequence) {
    const struct client_schema *schema = sequence->engine->operations->schema(sequence->engine);

    for (size_t t = 0; t < schema->n_tables; t++)
        compare_tables(sequence, &schema->tables[t]);
}

static void run_sequence(struct bench_world *bench, uint64_t number, bool tell) {
    struct sequence sequence;
    struct buffer told = {0};
    const char *difference = NULL;

    sequence_begin(&sequence, bench, number);
    for (int step = 0; step < sequence.n_steps && difference == NULL; step++) {
        sequence_step(&sequence);
        difference = engine_both_difference(sequence.engine);
        buffer_printf(&told, "  %d: %s\n", step, sequence.said);
        if (tell)
            printf("  %d: %s\n", step, sequence.said);
        if (difference == NULL && step % 13 == 12)
            compare_schema(&sequence);
    }
    if (difference != NULL) {
        fprintf(stderr, "sequence %llu:\n%s%s\n", (unsigned long long)number, buffer_text(&told), difference);
        fail();
    }
    buffer_free(&told);
    sequence_end(&sequence);
}

static void test_engines_agree(void **state) {
    const char *limit = getenv("SYNCLINE_DIFFERENTIAL_SECONDS");
    double start = seconds(), most = limit != NULL ? atof(limit) : 1e9;
    unsigned long long done = 0;

    (void)state;
    while (done < n_sequences && seconds() - start < most) {
        struct bench_world bench = bench_open_for(CLIENT_ENGINE_BOTH, first_sequence + done);

        for (int i = 0; i < 100 && done < n_sequences && seconds() - start < most; i++)
            run_sequence(&bench, first_sequence + done++, n_sequences == 1);
        bench_close(&bench);
    }
    printf("%llu sequences in %.1f s\n", done, seconds() - start);
    assert_true(done > 0);
}

/* Numbers of sequences that have found something. 79079: half a surrogate pair in an old value. */
static void test_findings(void **state) {
    static const uint64_t numbers[] = {79079};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct bench_world bench = bench_open_for(CLIENT_ENGINE_BOTH, numbers[i]);

        run_sequence(&bench, numbers[i], false);
        bench_close(&bench);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_findings), cmocka_unit_test(test_engines_agree)};

    if (argc > 1)
        n_sequences = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_sequence = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
