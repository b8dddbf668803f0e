/* The first page of list_snapshot, kept from one request to the next: it must read as if it were written
 * anew, whatever came, went and changed in between. */
#include "base/random.h"
#include "fixture.h"
#include "mock-convex/export/export_row.h"
#include "mock-convex/export/head_page.h"

enum { DOCUMENTS = 12 };

struct scene {
    struct convex_store_table table;
    struct convex_document documents[DOCUMENTS];
    struct convex_revision revisions[DOCUMENTS];
    bool there[DOCUMENTS];
    struct convex_head_page page;
};

static void set(struct scene *scene, int i, int64_t ts) {
    struct convex_value *value = convex_object();
    convex_object_set(value, "rank", convex_int64(ts * 100 + i));
    convex_free(scene->revisions[i].value);
    scene->documents[i].table = &scene->table;
    scene->documents[i].internal[0] = (unsigned char)i;
    scene->revisions[i] =
        (struct convex_revision){.ts = ts, .document = &scene->documents[i], .value = value};
    scene->there[i] = true;
}

static void check_page(struct scene *scene) {
    struct buffer kept = {0}, fresh = {0};
    convex_head_page_begin(&scene->page, scene->table.tablet);
    for (int i = 0; i < DOCUMENTS; i++)
        if (scene->there[i]) {
            convex_head_page_append(&scene->page, &kept, &scene->revisions[i]);
            convex_append_snapshot_row(&fresh, &scene->revisions[i], NULL, CONVEX_FORMAT_JSON);
        }
    assert_string_equal(buffer_text(&kept), buffer_text(&fresh));
    buffer_free(&kept);
    buffer_free(&fresh);
}

static void test_reads_as_written_anew(void **state) {
    (void)state;
    static struct scene scene;
    struct random_stream stream = random_stream_make(1, "head-page");
    scene.table.name = "pets";
    scene.table.component = "";
    check_page(&scene);
    for (int64_t ts = 1; ts < 300; ts++) {
        const int i = (int)random_below(&stream, DOCUMENTS);
        if (random_below(&stream, 3) == 0)
            scene.there[i] = false;
        else
            set(&scene, i, ts);
        check_page(&scene);
        if (ts % 50 == 0) { /* another table now stands first, with documents of the same ids and times */
            scene.table.tablet[0]++;
            for (int j = 0; j < DOCUMENTS; j++)
                if (scene.there[j])
                    convex_object_set(scene.revisions[j].value, "table", convex_int64(ts));
            check_page(&scene);
        }
    }
    for (int i = 0; i < DOCUMENTS; i++)
        convex_free(scene.revisions[i].value);
    convex_head_page_free(&scene.page);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_as_written_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
