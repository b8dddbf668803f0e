/* Files that share their pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "disk/page_store.h"

static void write_page(struct page_store *store, struct paged_file *file, size_t index, char fill) {
    char page[PAGE_STORE_PAGE];
    memset(page, fill, sizeof page);
    paged_file_write(store, file, index, page);
}

static char byte_at(const struct paged_file *file, size_t offset) {
    char byte = '?';
    assert_int_equal(paged_file_read(file, offset, &byte, 1), 1);
    return byte;
}

static void equal_pages_are_there_once(void **state) {
    struct page_store store = {0};
    struct paged_file a = {0}, b = {0};
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        write_page(&store, &a, i, (char)i);
        write_page(&store, &b, 199 - i, (char)(i));
    }
    assert_int_equal(store.count, 200);
    paged_file_free(&store, &a);
    assert_int_equal(store.count, 200);
    assert_int_equal(byte_at(&b, 0), (char)199);
    paged_file_free(&store, &b);
    assert_int_equal(store.count, 0);
    page_store_free(&store);
}

static void a_write_changes_one_file(void **state) {
    struct page_store store = {0};
    struct paged_file a = {0}, b = {0};
    (void)state;
    write_page(&store, &a, 0, 'a');
    write_page(&store, &a, 1, 'b');
    paged_file_copy(&b, &a);
    write_page(&store, &b, 1, 'c');
    assert_int_equal(byte_at(&a, PAGE_STORE_PAGE), 'b');
    assert_int_equal(byte_at(&b, PAGE_STORE_PAGE), 'c');
    write_page(&store, &b, 1, 'b'); /* equal again */
    assert_int_equal(store.count, 2);
    write_page(&store, &b, 1, 'b'); /* what it has already */
    paged_file_resize(&store, &b, 1);
    paged_file_resize(&store, &a, 1);
    assert_int_equal(store.count, 1);
    paged_file_free(&store, &a);
    paged_file_free(&store, &b);
    assert_int_equal(store.count, 0);
    page_store_free(&store);
}

static void reading_ends_with_the_file(void **state) {
    struct page_store store = {0};
    struct paged_file file = {0};
    char bytes[2 * PAGE_STORE_PAGE];
    (void)state;
    assert_int_equal(paged_file_read(&file, 0, bytes, 100), 0);
    write_page(&store, &file, 2, 'z'); /* the pages before it are zeros */
    assert_int_equal(byte_at(&file, 5), 0);
    assert_int_equal(paged_file_read(&file, 2 * PAGE_STORE_PAGE - 10, bytes, sizeof bytes),
                     PAGE_STORE_PAGE + 10);
    assert_int_equal(bytes[9], 0);
    assert_int_equal(bytes[10], 'z');
    assert_int_equal(bytes[PAGE_STORE_PAGE + 9], 'z');
    assert_int_equal(paged_file_read(&file, 3 * PAGE_STORE_PAGE, bytes, 1), 0);
    paged_file_free(&store, &file);
    page_store_free(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_pages_are_there_once),
        cmocka_unit_test(a_write_changes_one_file),
        cmocka_unit_test(reading_ends_with_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
